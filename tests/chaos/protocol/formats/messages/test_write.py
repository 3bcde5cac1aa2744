"""Tests of replies written in Anthropic's Messages API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Answer, Finish, ToolCall
from chaos.protocol.format import PieceKind
from chaos.protocol.formats.messages.write import Messages
from chaos.protocol.reading import ReadError
from tests.fakes.streams import answers, defects, read_stream

MESSAGES = Messages()
FULL = Answer(
    text="It will rain in Oslo.",
    reasoning="Let me think about it.",
    tool_calls=(ToolCall("toolu_1", "get_weather", '{"city":"Oslo"}'),),
    finish=Finish.TOOL_CALLS,
    output_tokens=21,
)


def check(reading, answer):
    """Hold a reading against the answer that was written."""
    assert defects(reading) == []
    assert reading.ended
    assert reading.starts == 1
    assert (reading.text, reading.reasoning) == (answer.text, answer.reasoning)
    assert reading.tool_calls == answer.tool_calls
    assert reading.finish == answer.finish
    assert reading.models == ("m",)
    assert len(reading.ids) == 1
    assert reading.usage.input_tokens == answer.input_tokens
    assert reading.usage.output_tokens == answer.output_tokens


@given(answers(), st.integers(1, 60))
def test_a_streamed_answer_is_read_as_it_was_written(answer, size):
    """Writing and reading again gives the same answer, whatever the split."""
    pieces = MESSAGES.write_answer(answer, model="m", stream=True)
    check(read_stream(MESSAGES, b"".join(piece.data for piece in pieces), size), answer)


@given(answers())
def test_a_whole_answer_is_read_as_it_was_written(answer):
    """The same without a stream."""
    (piece,) = MESSAGES.write_answer(answer, model="m", stream=False)
    check(MESSAGES.read_reply(200, piece.data), answer)


def test_faults_know_where_to_strike():
    """Pieces say what they are: text comes in four at least, a call's input in three."""
    pieces = MESSAGES.write_answer(FULL, model="m", stream=True)
    kinds = [piece.kind for piece in pieces]
    deltas = [piece.kind for piece in pieces if b"_delta" in piece.data]
    assert list(dict.fromkeys(kinds)) == [
        PieceKind.START,
        PieceKind.REASONING,
        PieceKind.CONTENT,
        PieceKind.TOOL_CALL,
        PieceKind.FINISH,
        PieceKind.END,
    ]
    assert deltas.count(PieceKind.CONTENT) >= 4
    assert deltas.count(PieceKind.TOOL_CALL) >= 3


def test_a_call_without_an_id_gets_one():
    """The API has no call without an id, and two calls have two."""
    answer = Answer(tool_calls=(ToolCall(None, "a", "{}"), ToolCall(None, "a", "{}")))
    (piece,) = MESSAGES.write_answer(answer, model="m", stream=False)
    ids = {call.id for call in MESSAGES.read_reply(200, piece.data).tool_calls}
    assert len(ids) == 2
    assert None not in ids


def test_an_error_event_is_read_as_an_error_in_band():
    """A provider's error body becomes an event that a client raises for."""
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    start = MESSAGES.write_answer(FULL, model="m", stream=True)[0].data
    reading = read_stream(MESSAGES, start + MESSAGES.write_error_event(body))
    assert reading.error == ReadError("Overloaded", type="overloaded_error", in_band=True)
    assert defects(reading) == []
    assert not reading.ended


@pytest.mark.parametrize(("stream", "media"), [(True, "text/event-stream"), (False, "json")])
def test_a_stream_has_another_media_type(stream, media):
    """Clients choose their reader by the media type."""
    assert media in MESSAGES.content_type(stream=stream)


def test_a_whole_answer_is_one_json_object():
    """A reply without a stream is the bare message."""
    (piece,) = MESSAGES.write_answer(FULL, model="m", stream=False)
    body = json.loads(piece.data)
    assert [block["type"] for block in body["content"]] == ["thinking", "text", "tool_use"]
    assert body["stop_reason"] == "tool_use"
