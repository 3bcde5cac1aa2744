"""Azure OpenAI's errors and addresses."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.azure import Azure

ROWS = Azure.rows


def test_the_rate_limit_is_azures_sentence():
    """A 429 names operation, version and tier."""
    row = ROWS["rate_limit"]
    assert row.status == 429
    assert row.body["error"]["code"] == "429"
    assert row.body["error"]["message"].startswith(
        "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
        "2024-10-01-preview have exceeded token rate limit of your current AIServices S0 pricing "
        "tier. Please retry after 37 seconds."
    )


@pytest.mark.parametrize(
    ("row", "apostrophe", "code"),
    [
        ("content_policy", "'", "ResponsibleAIPolicyViolation"),
        ("content_policy.curly", "\u2019", "ContentFiltered"),
        ("content_policy.content_filtered", "'", "ContentFiltered"),
    ],
)
def test_the_prompt_filter_has_two_apostrophes_and_two_codes(row, apostrophe, code):
    """The curly apostrophe with the newer code is what gateways fail to recognise."""
    error = ROWS[row].body["error"]
    assert ROWS[row].status == 400
    assert f"Azure OpenAI{apostrophe}s content management policy" in error["message"]
    assert (error["code"], error["param"], error["status"]) == ("content_filter", "prompt", 400)
    assert error["innererror"]["code"] == code


def test_a_busy_region_is_a_429_of_its_own():
    """No capacity is told by its code."""
    assert ROWS["overloaded"].status == 429
    assert ROWS["overloaded"].body["error"]["code"] == "no_capacity"


@pytest.mark.parametrize(
    ("path", "body", "model", "wire_format"),
    [
        ("/openai/deployments/dep/chat/completions", {"stream": True}, "dep", "chat_completions"),
        ("/deployments/d%20x/embeddings", {}, "d x", "embeddings"),
        ("/openai/responses", {"model": "gpt-5", "stream": True}, "gpt-5", "responses"),
        ("/openai/v1/responses", {"model": "gpt5_series/my"}, "my", "responses"),
        ("/openai/v1/chat/completions", {"model": "gpt-5"}, "gpt-5", "chat_completions"),
    ],
)
def test_the_deployment_is_in_the_path_or_the_body(path, body, model, wire_format):
    """Every way to name a deployment is understood."""
    found = Azure().recognise(RawCall("POST", path, {}, body, "api-version=2024-10-21"))
    assert found is not None
    assert (found.model, found.format.name) == (model, wire_format)
    assert found.stream is bool(body.get("stream"))


def test_the_real_address_keeps_the_api_version():
    """The query of the request goes along."""
    path = "/openai/deployments/d/chat/completions"
    call = RawCall("POST", path, {}, {}, "api-version=2024-10-21")
    assert Azure().real_url("https://r.openai.azure.com/", call) == (
        f"https://r.openai.azure.com{path}?api-version=2024-10-21"
    )
