"""Anthropic's errors and addresses, word for word."""

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.anthropic import Anthropic

ROWS = Anthropic.rows


def test_an_empty_account_is_a_400():
    """No money is a bad request with Anthropic's own sentence, and names no delay."""
    row = ROWS["billing"]
    assert row.status == 400
    assert row.body["type"] == "error"
    assert row.body["error"] == {
        "type": "invalid_request_error",
        "message": "Your credit balance is too low to access the Anthropic API. Please go to "
        "Plans & Billing to upgrade or purchase credits.",
    }
    assert row.body["request_id"] == row.headers["request-id"]
    assert "retry-after" not in row.headers
    assert not row.unconfirmed


def test_overload_is_a_529():
    """Anthropic's status for overload is its own."""
    row = ROWS["overloaded"]
    assert row.status == 529
    assert row.body["error"] == {"type": "overloaded_error", "message": "Overloaded"}


def test_the_monthly_cap_is_told_by_its_error_code():
    """The spend cap is a 429 without a delay and with a code in the details."""
    row = ROWS["quota"]
    assert row.status == 429
    assert row.body["error"]["details"]["error_code"] == "enforced_spend_limit_reached"
    assert "retry-after" not in row.headers


def test_a_prompt_too_long_is_told_in_tokens():
    """The text is what gateways recognise a context error by."""
    message = ROWS["context_window"].body["error"]["message"]
    assert message == "prompt is too long: 208310 tokens > 200000 maximum"


def test_the_version_may_be_missing():
    """A base that ends with /v1 leaves /messages; both are Anthropic's."""
    for path in ("/v1/messages", "/messages"):
        call = RawCall("POST", path, {}, {"model": "claude-x", "stream": True})
        found = Anthropic().recognise(call)
        assert found is not None
        assert (found.model, found.stream, found.format.name) == ("claude-x", True, "messages")


def test_counting_tokens_is_no_call():
    """Only messages are drilled."""
    call = RawCall("POST", "/v1/messages/count_tokens", {}, {"model": "claude-x"})
    assert Anthropic().recognise(call) is None


def test_the_real_address():
    """The default base has no version, the path has."""
    call = RawCall("POST", "/v1/messages", {}, {}, "beta=true")
    assert Anthropic().real_url("https://api.anthropic.com", call) == (
        "https://api.anthropic.com/v1/messages?beta=true"
    )
