"""Ollama's errors and addresses."""

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects import LOCAL_BASES, dialect_of, upstream_model
from chaos.protocol.dialects.ollama import Ollama

ROWS = Ollama.rows


@pytest.mark.parametrize(
    ("row", "status", "words"),
    [
        ("model_retired", 404, "model '{model}' not found, try pulling it first"),
        ("server_error.out_of_memory", 500, "model requires more system memory"),
        ("overloaded", 503, "server busy, please try again."),
        ("permission.no_tools", 400, "does not support tools"),
        ("context_window", 400, "exceeds the available context size"),
    ],
)
def test_each_error_has_ollamas_status_and_words(row, status, words):
    """The envelope is one text, unlike OpenAI's."""
    assert ROWS[row].status == status
    assert words in ROWS[row].body["error"]


def test_it_has_no_bill_and_no_rate_limit():
    """A local server lacks the failures of business."""
    names = {row.partition(".")[0] for row in ROWS}
    assert not names & {"billing", "quota", "rate_limit", "content_policy"}


def test_both_prefixes_are_one_dialect():
    """LiteLLM's two ways of asking the same server; their models' tags cross the wire."""
    for provider in ("ollama", "ollama_chat"):
        found = dialect_of(provider)
        assert found is not None
        assert found.name == "ollama"
        assert upstream_model(provider, f"{provider}/qwen3:8b") == "qwen3:8b"
        assert LOCAL_BASES[provider] == "http://localhost:11434"


def test_questions_about_a_model_are_no_calls():
    """LiteLLM asks /api/show for a model's limits: nothing of a drill is in it."""
    for path in ("/api/show", "/api/tags", "/api/pull"):
        assert Ollama().recognise(RawCall("POST", path, {}, {"model": "m"})) is None


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://e:11434", "http://e:11434/api/chat"),
        ("http://e:11434/", "http://e:11434/api/chat"),
        ("http://e/ollama", "http://e/ollama/api/chat"),
        ("http://e:11434/api/chat", "http://e:11434/api/chat"),
    ],
)
def test_real_addresses(base, url):
    """LiteLLM takes the server's root, or the endpoint itself."""
    assert Ollama().real_url(base, RawCall("POST", "/api/chat", {}, {})) == url
