"""How an attempt becomes a record."""

import gzip

import pytest

from chaos.protocol.dialect import RawCall
from chaos.protocol.dialects import DIALECTS
from chaos.witness.attempt import Attempt
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.upstreams import NONCE, as_bytes, chat_request


def attempt_with(body, *, status=200, **changes):
    """An attempt that was answered with *body*."""
    request = RawCall("POST", "/chat/completions", {}, chat_request("a"))
    attempt = Attempt(1, 0.0, group="a", call=DIALECTS["vllm"].recognise(request))
    attempt.body = chat_request("a")
    attempt.played.reached, attempt.played.status = True, status
    attempt.played.note(body)
    for name, value in changes.items():
        setattr(attempt, name, value)
    return attempt


def packed(body, coding):
    """An attempt that was answered with *body* in a content coding."""
    attempt = attempt_with(body)
    attempt.played.coding = coding
    return attempt


GOOD = as_bytes(
    {
        "id": "x",
        "model": "a",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        ],
    }
)


def test_a_record_holds_the_request_and_the_reply_read():
    """Checks compare what the hop was asked with what the client asked."""
    record = attempt_with(GOOD).record()
    assert record.reply.text == "hi"
    assert NONCE in record.asked.text
    assert record.operation == "chat_completions"


def test_a_compressed_reply_is_read():
    """Upstreams compress, and the copy for the record comes before anybody unpacks it."""
    assert packed(gzip.compress(GOOD), "gzip").record().reply.text == "hi"
    assert packed(b"\x1f\x8bbroken", "gzip").record().reply is None
    assert packed(b"?", "novel").record().reply is None


@pytest.mark.parametrize(
    ("body", "changes", "outcome"),
    [
        (GOOD, {}, AttemptOutcome.SERVED),
        (GOOD[:20], {}, AttemptOutcome.REFUSED),
        (GOOD, {"status": 503}, AttemptOutcome.ERRORED),
        (GOOD, {"status": None}, AttemptOutcome.REFUSED),
        (GOOD, {"trouble": "no connection"}, AttemptOutcome.ERRORED),
    ],
    ids=["to its end", "broken off", "an error", "no head yet", "no upstream"],
)
def test_what_was_passed_on_is_judged_by_its_reply(body, changes, outcome):
    """Not by whether the connection came to its end."""
    assert attempt_with(body, **changes).record().outcome is outcome


def test_a_whole_reply_that_cannot_be_read_was_served():
    """It is unknown what was said, not whether."""
    attempt = packed(b"?", "novel")
    attempt.played.whole = True
    assert attempt.record().outcome is AttemptOutcome.SERVED


def test_no_text_of_a_record_holds_what_the_request_carried():
    """Also not where a long error text is cut in the middle of a key."""
    key = "sk-the-real-one"
    error = as_bytes({"error": {"message": "x" * 490 + key}})
    attempt = attempt_with(error, status=401, credentials=frozenset({key}))
    assert "sk-the" not in repr(attempt.record())
    assert key not in repr(attempt)


def test_what_no_dialect_speaks_for_is_not_read():
    """Nobody can say of it that something was lost."""
    request = RawCall("POST", "/generate", {}, {"inputs": NONCE})
    attempt = attempt_with(GOOD, call=DIALECTS["generic"].recognise(request))
    assert attempt.record().asked is None


def ollamas(body):
    """An attempt at Ollama that asked for a stream, and was answered with *body*."""
    request = RawCall("POST", "/api/chat", {}, {"model": "m", "messages": [], "stream": True})
    return attempt_with(body, call=DIALECTS["ollama"].recognise(request))


def test_a_stream_whose_lines_are_objects_is_read_as_one():
    """It begins like a whole reply; one object alone is one, as an error with status 200 is."""
    first = {"model": "m", "message": {"role": "assistant", "content": "hi "}, "done": False}
    last = {**first, "message": {"role": "assistant", "content": "you"}, "done": True}
    stream = b"".join(as_bytes(one) + b"\n" for one in (first, last))
    record = ollamas(stream).record()
    assert (record.reply.text, record.outcome) == ("hi you", AttemptOutcome.SERVED)
    assert ollamas(stream[:-20]).record().outcome is AttemptOutcome.REFUSED
    assert ollamas(as_bytes({"error": "no"})).record().reply.error.in_band
