"""Status faults play the rows of every dialect."""

import json

import pytest

from chaos.faults.fault import Fault, FaultName, Phase, Scene
from chaos.faults.http_error import STATUS_FAULTS, own_row, row_of
from chaos.faults.script import Head, Send
from chaos.protocol.conversation import Answer
from chaos.protocol.dialect import Call
from chaos.protocol.dialects import DIALECTS

FAULTS: dict[str, Fault] = {fault.name: fault for fault in STATUS_FAULTS}
ROWS = [(name, row) for name, dialect in DIALECTS.items() for row in dialect.rows]


def play(dialect_name, fault_name, variant=None, model="some-model"):
    """Play a fault in a dialect; tell status, headers and body."""
    dialect = DIALECTS[dialect_name]
    call = Call(dialect_name, dialect.formats[0], model, stream=True)
    script = FAULTS[fault_name].script(Scene(dialect, call, Answer(), variant))
    head, sent = script.steps
    assert isinstance(head, Head)
    assert isinstance(sent, Send)
    return head.status, dict(head.headers), sent.data


def test_there_is_one_for_each_status_fault():
    """The twelve status faults of the contract, in its order."""
    assert list(FAULTS) == [
        "billing",
        "quota",
        "rate_limit",
        "overloaded",
        "auth_revoked",
        "permission",
        "model_retired",
        "context_window",
        "content_policy",
        "server_error",
        "bad_gateway_html",
        "request_timeout",
    ]


@pytest.mark.parametrize("fault", STATUS_FAULTS, ids=lambda fault: fault.name)
def test_they_are_rows_before_the_first_byte(fault):
    """A status fault strikes first of all, and says in a sentence what it is."""
    assert fault.status_fault
    assert fault.phase is Phase.BEFORE_FIRST_BYTE
    assert not any((fault.streams_only, fault.tools_only, fault.chats_only, fault.twin_only))
    assert fault.summary.endswith(".")


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_every_row_is_played_as_it_stands(name, row):
    """Status, headers and body are the row's, with a media type and the model's name."""
    fault_name, _, variant = row.partition(".")
    status, headers, body = play(name, fault_name, variant or None)
    told = DIALECTS[name].rows[row]
    assert status == told.status
    assert dict(told.headers).items() <= headers.items()
    assert b"{model}" not in body
    if isinstance(told.body, str):
        assert headers["content-type"].startswith("text/html")
    else:
        assert headers["content-type"] == "application/json"
        assert json.loads(body).keys() == told.body.keys()


def test_the_models_name_is_filled_in():
    """A provider names the model that was asked for, deep inside the body too."""
    _, _, body = play("gemini", "quota", model="gemini-x")
    violation = json.loads(body)["error"]["details"][0]["violations"][0]
    assert violation["quotaDimensions"]["model"] == "gemini-x"
    _, _, body = play("anthropic", "model_retired", model="claude-x")
    assert json.loads(body)["error"]["message"] == "model: claude-x"


def test_a_variant_that_is_missing_gives_the_plain_row():
    """A variant that the dialect lacks falls back to the fault itself."""
    assert play("gemini", "rate_limit", "retry_after_20") == play("gemini", "rate_limit")


def test_a_fault_that_is_missing_gives_the_substitute():
    """A dialect without the fault fails with an error of its own."""
    assert play("vllm", "billing") == play("vllm", "server_error")


def test_delays_are_sent():
    """The variant of a rate limit carries the header that LiteLLM obeys."""
    _, plain, _ = play("openai", "rate_limit")
    _, delayed, _ = play("openai", "rate_limit", "retry_after_20")
    assert "retry-after" not in plain
    assert delayed["retry-after"] == "20"


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "azure", "openrouter"])
@pytest.mark.parametrize("seconds", [2, 47, 3600])
def test_a_rate_limit_may_ask_for_any_pause(dialect, seconds):
    """``retry_after_N`` is the answer of 20 seconds with another number, in milliseconds too."""
    status, headers, body = play(dialect, "rate_limit", f"retry_after_{seconds}")
    _, usual, same = play(dialect, "rate_limit", "retry_after_20")
    assert (status, body) == (429, same)
    assert headers["retry-after"] == str(seconds)
    assert headers.get("retry-after-ms") in (None, f"{seconds}000")
    assert headers.keys() == usual.keys()


def test_a_pause_is_no_variant_where_the_provider_names_none():
    """Without a row to go by the plain one is played, and the record says so."""
    asked = FaultName("rate_limit", "retry_after_2")
    assert own_row(DIALECTS["bedrock"], asked) is None
    assert row_of(DIALECTS["bedrock"], asked)[0] == FaultName("rate_limit")
    assert own_row(DIALECTS["openai"], FaultName("overloaded", "retry_after_2")) is None
