"""OpenAI's errors and addresses, word for word."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.openai import OpenAI

ROWS = OpenAI.rows


def test_an_exhausted_quota_is_a_429_without_a_delay():
    """No money looks like a rate limit but for its type and code."""
    row = ROWS["billing"]
    assert row.status == 429
    assert row.body == {
        "error": {
            "message": "You exceeded your current quota, please check your plan and billing "
            "details. For more information on this error, read the docs: "
            "https://platform.openai.com/docs/guides/error-codes/api-errors.",
            "type": "insufficient_quota",
            "param": None,
            "code": "insufficient_quota",
        }
    }
    assert "retry-after" not in row.headers
    assert not row.unconfirmed


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("billing.credit_balance_exhausted", "credit_balance_exhausted"),
        ("quota", "organization_spend_limit_exceeded"),
        ("quota.project", "project_spend_limit_exceeded"),
        ("quota.usage", "organization_usage_limit_exceeded"),
    ],
)
def test_the_new_codes_are_there(row, code):
    """Prepaid credit and spend limits have codes of their own."""
    assert ROWS[row].status == 429
    assert ROWS[row].body["error"]["code"] == code


def test_delays_come_in_seconds_and_milliseconds():
    """OpenAI sends both headers."""
    headers = ROWS["rate_limit.retry_after_20"].headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("20", "20000")


def test_deepseek_and_azure_claude_are_asked_in_anthropics_language():
    """A compatible provider's Anthropic path has Anthropic's format and errors."""
    call = RawCall("POST", "/anthropic/v1/messages", {}, {"model": "deepseek-chat"})
    found = OpenAI().recognise(call)
    assert found is not None
    assert (found.dialect, found.format.name) == ("anthropic", "messages")


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://api.openai.com/v1", "/responses", "https://api.openai.com/v1/responses"),
        (
            "https://api.mistral.ai/v1",
            "/v1/chat/completions",
            "https://api.mistral.ai/v1/chat/completions",
        ),
        (
            "https://api.deepseek.com/beta",
            "/anthropic/v1/messages",
            "https://api.deepseek.com/anthropic/v1/messages",
        ),
        (
            "https://api.deepseek.com/beta",
            "/chat/completions",
            "https://api.deepseek.com/beta/chat/completions",
        ),
        (
            "https://x.azure.com/anthropic",
            "/anthropic/v1/messages",
            "https://x.azure.com/anthropic/v1/messages",
        ),
    ],
)
def test_real_addresses(base, path, url):
    """Each compatible provider is reached where LiteLLM would have."""
    assert OpenAI().real_url(base, RawCall("POST", path, {}, {})) == url


def test_codestral_is_at_the_address_that_it_is_given():
    """LiteLLM adds no path to it, so none is added either."""
    raw = RawCall("POST", "/", {}, {"model": "codestral-latest", "prompt": "def f("})
    found = OpenAI().recognise(raw)
    assert found is not None
    assert (found.format.name, found.model) == ("codestral_fim", "codestral-latest")
    base = "https://codestral.mistral.ai/v1/fim/completions"
    assert OpenAI().real_url(base, raw) == base


def test_a_prompt_is_no_chat():
    """What is asked at /completions without one is nobody's call."""
    assert OpenAI().recognise(RawCall("POST", "/v1/completions", {}, {"model": "m"})) is None
