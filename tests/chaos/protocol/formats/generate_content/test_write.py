"""Gemini's generateContent, asked and answered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import (
    Answer,
    Ask,
    Finish,
    ResponseSchema,
    ToolCall,
    ToolSpec,
    Turn,
)
from chaos.protocol.format import PieceKind
from chaos.protocol.formats.generate_content.write import GenerateContent
from chaos.protocol.reading import Defect
from tests.fakes.recorded_requests import request_bodies
from tests.fakes.streams import answers, asks, defects, read_stream

FORMAT = GenerateContent()


@given(asks())
def test_what_is_asked_is_read_again(ask):
    """A request survives the way over the wire, but for what the API cannot say."""
    schema = ask.response_schema and replace(ask.response_schema, name="answer")
    body = FORMAT.write_ask(ask, model="m", stream=True)
    assert FORMAT.read_ask(body) == replace(ask, parallel_tool_calls=None, response_schema=schema)


def test_the_mixed_spelling_of_litellm_is_understood():
    """A recorded request in snake_case and camelCase is read whole."""
    (body,) = request_bodies("gemini/gemini-2.0-flash responses True")
    weather = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert FORMAT.read_ask(body) == Ask(
        turns=(
            Turn("user", "What is the capital of France? drill-nonce-7f3a"),
            Turn(
                "assistant",
                tool_calls=(ToolCall("get_weather", "get_weather", '{"city":"Paris"}'),),
            ),
            Turn("tool", "21 degrees drill-nonce-7f3a", tool_call_id="get_weather"),
        ),
        tools=(ToolSpec("get_weather", "Weather of a city", weather),),
        max_tokens=64,
    )


def test_a_schema_is_found_in_the_settings():
    """LiteLLM writes the response schema as response_json_schema."""
    body = {"generationConfig": {"response_json_schema": {"type": "object"}}}
    assert FORMAT.read_ask(body).response_schema == ResponseSchema("answer", {"type": "object"})


@pytest.mark.parametrize("body", [{}, {"contents": 5, "tools": "x", "generationConfig": []}])
def test_odd_requests_are_empty_asks(body):
    """A request of the wrong shape asks for nothing, and raises nothing."""
    assert FORMAT.read_ask(body) == Ask()


@given(answers())
def test_whole_answers_are_read_again(answer):
    """A whole reply says what the answer said, without a defect."""
    (piece,) = FORMAT.write_answer(answer, model="gemini-x", stream=False)
    _same(FORMAT.read_reply(200, piece.data), answer)


@given(answers(), st.integers(1, 200))
def test_streamed_answers_are_read_again_whatever_the_split(answer, size):
    """A streamed reply says what the answer said, without a defect."""
    data = b"".join(p.data for p in FORMAT.write_answer(answer, model="gemini-x", stream=True))
    _same(read_stream(FORMAT, data, size), answer)


def _same(reading, answer):
    assert reading.defects == ()
    assert (reading.text, reading.reasoning) == (answer.text, answer.reasoning)
    assert reading.tool_calls == answer.tool_calls
    assert (reading.finish, reading.ended, reading.starts) == (answer.finish, True, 1)
    assert reading.models == ("gemini-x",)
    assert len(reading.ids) == 1
    assert reading.usage is not None
    assert reading.usage.output_tokens == answer.output_tokens


def test_calls_have_no_id_unless_given_one():
    """Gemini gives no ids, and that is no defect."""
    answer = Answer(tool_calls=(ToolCall(None, "f", "{}"),), finish=Finish.TOOL_CALLS)
    (piece,) = FORMAT.write_answer(answer, model="m", stream=False)
    reading = FORMAT.read_reply(200, piece.data)
    assert reading.tool_calls == answer.tool_calls
    assert reading.defects == ()


def test_a_stream_comes_in_pieces_that_a_fault_can_use():
    """Text comes in four pieces at least, a call in three, and the finish is last."""
    call = ToolCall(None, "f", '{"city":"Paris"}')
    answer = Answer(text="a long answer", tool_calls=(call,), finish=Finish.TOOL_CALLS)
    pieces = FORMAT.write_answer(answer, model="m", stream=True)
    kinds = [piece.kind for piece in pieces]
    assert kinds.count(PieceKind.CONTENT) >= 4
    assert kinds.count(PieceKind.TOOL_CALL) == 3
    assert kinds[-1] is PieceKind.FINISH


def test_a_call_can_be_cut_in_the_middle():
    """All but the last of a call's three pieces are half a call: a truncated event."""
    answer = Answer(tool_calls=(ToolCall(None, "f", '{"a":1}'),), finish=Finish.TOOL_CALLS)
    pieces = FORMAT.write_answer(answer, model="m", stream=True)
    reading = read_stream(FORMAT, b"".join(piece.data for piece in pieces[:3]))
    assert reading.tool_calls == ()
    assert defects(reading) == [Defect.TRUNCATED_EVENT, Defect.NO_FINISH]


def test_an_error_after_the_first_piece_is_read():
    """An error event after the first piece of any answer stands alone."""
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    for answer in (Answer(text="hello"), Answer(tool_calls=(ToolCall(None, "f", "{}"),))):
        first, *_ = FORMAT.write_answer(answer, model="m", stream=True)
        reading = read_stream(FORMAT, first.data + FORMAT.write_error_event(error))
        assert reading.error is not None
        assert (reading.error.in_band, reading.error.status) == (True, 503)
        assert reading.defects == ()


def test_media_types():
    """A stream is one of server-sent events, without a character set."""
    assert FORMAT.content_type(stream=True) == "text/event-stream"
    assert FORMAT.content_type(stream=False).startswith("application/json")
