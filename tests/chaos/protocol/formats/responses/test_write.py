"""Tests of replies written in OpenAI's Responses API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Answer, Finish, ToolCall
from chaos.protocol.format import PieceKind
from chaos.protocol.formats.responses.write import Responses
from chaos.protocol.reading import ReadError
from tests.fakes.streams import answers, defects, read_stream

RESPONSES = Responses()
FULL = Answer(
    text="It will rain in Oslo.",
    reasoning="Let me think about it.",
    tool_calls=(ToolCall("call_1", "get_weather", '{"city":"Oslo"}'),),
    finish=Finish.TOOL_CALLS,
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
    pieces = RESPONSES.write_answer(answer, model="m", stream=True)
    check(read_stream(RESPONSES, b"".join(piece.data for piece in pieces), size), answer)


@given(answers())
def test_a_whole_answer_is_read_as_it_was_written(answer):
    """The same without a stream."""
    (piece,) = RESPONSES.write_answer(answer, model="m", stream=False)
    check(RESPONSES.read_reply(200, piece.data), answer)


def test_faults_know_where_to_strike():
    """Pieces say what they are: text comes in four at least, a call's arguments in three."""
    pieces = RESPONSES.write_answer(FULL, model="m", stream=True)
    deltas = [piece.kind for piece in pieces if b".delta" in piece.data]
    assert list(dict.fromkeys(piece.kind for piece in pieces)) == [
        PieceKind.START,
        PieceKind.REASONING,
        PieceKind.CONTENT,
        PieceKind.TOOL_CALL,
        PieceKind.FINISH,
        PieceKind.END,
    ]
    assert deltas.count(PieceKind.CONTENT) >= 4
    assert deltas.count(PieceKind.TOOL_CALL) >= 3


def test_events_are_numbered_without_a_gap():
    """Every event carries its number, as OpenAI's do."""
    pieces = RESPONSES.write_answer(FULL, model="m", stream=True)
    payloads = [json.loads(piece.data.split(b"data: ")[1]) for piece in pieces]
    assert [payload["sequence_number"] for payload in payloads] == list(range(len(pieces)))


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "m", "type": "server_error", "param": None, "code": "c"}},
        {"message": "m", "type": "server_error", "code": "c"},
    ],
)
def test_an_error_event_is_read_as_an_error_in_band(body):
    """A provider's error body becomes an event that a client raises for."""
    start = RESPONSES.write_answer(FULL, model="m", stream=True)[0].data
    reading = read_stream(RESPONSES, start + RESPONSES.write_error_event(body))
    assert reading.error == ReadError("m", type="server_error", code="c", in_band=True)
    assert defects(reading) == []
    assert not reading.ended


@pytest.mark.parametrize(("stream", "media"), [(True, "text/event-stream"), (False, "json")])
def test_a_stream_has_another_media_type(stream, media):
    """Clients choose their reader by the media type."""
    assert media in RESPONSES.content_type(stream=stream)
