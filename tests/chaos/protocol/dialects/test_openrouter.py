"""OpenRouter's errors, word for word."""

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.openrouter import OpenRouter

ROWS = OpenRouter.rows


def test_no_credits_are_a_402_without_a_delay():
    """The code is a number, and only the in-flight budget names a delay."""
    assert ROWS["billing"].status == 402
    assert ROWS["billing"].body == {
        "error": {
            "code": 402,
            "message": "Insufficient credits. Add more using "
            "https://openrouter.ai/settings/credits",
        }
    }
    assert "retry-after" not in ROWS["billing"].headers
    in_flight = ROWS["billing.in_flight"]
    assert in_flight.body["error"]["metadata"]["limit_source"] == "openrouter_in_flight_budget"
    assert "retry-after" in in_flight.headers


def test_codes_and_statuses_agree():
    """The code in the body is the status of the reply."""
    for row, told in ROWS.items():
        if not isinstance(told.body, str):
            assert told.body["error"]["code"] == told.status, row


def test_a_failing_provider_behind_it_is_a_502():
    """What fails is a provider of OpenRouter's."""
    assert ROWS["server_error"].status == 502
    assert ROWS["server_error"].body["error"]["message"] == "Provider returned error"


def test_moderation_tells_its_reasons():
    """A 403 carries who flagged what."""
    metadata = ROWS["content_policy"].body["error"]["metadata"]
    assert {"reasons", "flagged_input", "provider_name", "model_slug"} == metadata.keys()


def test_the_models_name_keeps_its_maker():
    """A model is called maker/model on the wire."""
    call = RawCall("POST", "/chat/completions", {}, {"model": "openai/gpt-4o-mini"})
    found = OpenRouter().recognise(call)
    assert found is not None
    assert (found.dialect, found.model) == ("openrouter", "openai/gpt-4o-mini")


def test_the_real_address():
    """The base carries /api/v1."""
    call = RawCall("POST", "/chat/completions", {}, {})
    assert OpenRouter().real_url("https://openrouter.ai/api/v1", call) == (
        "https://openrouter.ai/api/v1/chat/completions"
    )
