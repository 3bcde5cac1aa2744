"""What no dialect speaks for."""

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects.generic import Generic

COHERE = {"model": "command-r-plus", "messages": [], "stream": True}


def test_any_call_is_taken_and_none_is_read():
    """Its address says whose it is; what it asks is not known."""
    found = Generic().recognise(RawCall("POST", "/", {}, COHERE))
    assert found is not None
    assert (found.model, found.stream, found.readable) == ("command-r-plus", True, False)
    other = Generic().recognise(RawCall("POST", "/t/generate", {}, {"inputs": "hi"}))
    assert other is not None
    assert (other.model, other.stream) == ("", False)


def test_what_asks_nothing_is_no_call():
    """LiteLLM looks for models now and then."""
    assert Generic().recognise(RawCall("GET", "/v1/models", {}, {})) is None
    assert Generic().recognise(RawCall("POST", "/", {}, {})) is None


def test_its_errors_are_openais_and_none_is_confirmed():
    """Variants belong to OpenAI alone."""
    assert all(row.unconfirmed and "." not in name for name, row in Generic.rows.items())
    assert {"billing", "rate_limit", "overloaded"} <= Generic.rows.keys()
    assert Generic().real_url("https://p.example/v2", RawCall("POST", "/chat", {}, {})) == (
        "https://p.example/v2/chat"
    )
