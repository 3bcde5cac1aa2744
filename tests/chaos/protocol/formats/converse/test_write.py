"""Bedrock's Converse API, asked and answered."""

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
from chaos.protocol.formats.converse.stream import status_of_exception
from chaos.protocol.formats.converse.write import Converse
from chaos.protocol.reading import Defect
from tests.fakes.streams import answers, asks, defects, read_stream

FORMAT = Converse()


@given(asks())
def test_what_is_asked_is_read_again(ask):
    """A request survives the way over the wire, but for what the API cannot say."""
    body = FORMAT.write_ask(ask, model="m", stream=True)
    assert FORMAT.read_ask(body) == replace(ask, parallel_tool_calls=None)


def test_a_request_of_litellm_is_understood():
    """The request that LiteLLM 1.106.2 sends for a tool result is read whole."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    spec = {"name": "get_weather", "description": "d", "inputSchema": {"json": schema}}
    body = {
        "system": [{"text": "Be brief"}],
        "messages": [
            {"role": "user", "content": [{"text": "hi"}]},
            {
                "role": "assistant",
                "content": [
                    {"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "P"}}}
                ],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "c1", "content": [{"json": {"t": 21}}]}}],
            },
        ],
        "inferenceConfig": {"maxTokens": 16, "temperature": 0},
        "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}},
    }
    assert FORMAT.read_ask(body) == Ask(
        turns=(
            Turn("system", "Be brief"),
            Turn("user", "hi"),
            Turn("assistant", tool_calls=(ToolCall("c1", "get_weather", '{"city":"P"}'),)),
            Turn("tool", '{"t":21}', tool_call_id="c1"),
        ),
        tools=(ToolSpec("get_weather", "d", schema),),
        tool_choice="required",
        max_tokens=16,
        temperature=0,
    )


def test_turns_of_one_side_share_a_message():
    """Two tool results in a row become one message of the user, as the API demands."""
    turns = (
        Turn("assistant", tool_calls=(ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))),
        Turn("tool", "1", tool_call_id="a"),
        Turn("tool", "2", tool_call_id="b"),
        Turn("user", "go on"),
    )
    body = FORMAT.write_ask(Ask(turns=turns), model="m", stream=False)
    assert [message["role"] for message in body["messages"]] == ["assistant", "user"]
    assert FORMAT.read_ask(body).turns == turns


def test_a_response_schema_is_json_in_json():
    """The API takes the schema as text."""
    ask = Ask(turns=(Turn("user", "x"),), response_schema=ResponseSchema("a", {"type": "object"}))
    body = FORMAT.write_ask(ask, model="m", stream=False)
    told = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert told == {"name": "a", "schema": '{"type":"object"}'}


@pytest.mark.parametrize("body", [{}, {"messages": 5, "system": "x", "toolConfig": []}])
def test_odd_requests_are_empty_asks(body):
    """A request of the wrong shape asks for nothing, and raises nothing."""
    assert FORMAT.read_ask(body) == Ask()


@given(answers())
def test_whole_answers_are_read_again(answer):
    """A whole reply says what the answer said, without a defect."""
    (piece,) = FORMAT.write_answer(answer, model="m", stream=False)
    reading = FORMAT.read_reply(200, piece.data)
    assert reading.defects == ()
    assert (reading.text, reading.reasoning) == (answer.text, answer.reasoning)
    assert [(c.id, c.name, c.arguments) for c in reading.tool_calls] == [
        (c.id, c.name, c.arguments) for c in answer.tool_calls
    ]
    assert (reading.finish, reading.ended) == (answer.finish, True)


@given(answers(), st.integers(1, 200))
def test_streamed_answers_are_read_again_whatever_the_split(answer, size):
    """A streamed reply says what the answer said, without a defect."""
    data = b"".join(p.data for p in FORMAT.write_answer(answer, model="m", stream=True))
    reading = read_stream(FORMAT, data, size)
    assert reading.defects == ()
    assert (reading.text, reading.reasoning) == (answer.text, answer.reasoning)
    assert reading.tool_calls == answer.tool_calls
    assert (reading.finish, reading.ended, reading.starts) == (answer.finish, True, 1)
    assert reading.usage is not None
    assert reading.usage.output_tokens == answer.output_tokens


def test_a_stream_comes_in_pieces_that_a_fault_can_use():
    """Text comes in four pieces at least, a call in three, between a start and an end."""
    call = ToolCall(None, "f", '{"city":"Paris"}')
    answer = Answer(text="a long answer", tool_calls=(call,), finish=Finish.TOOL_CALLS)
    kinds = [piece.kind for piece in FORMAT.write_answer(answer, model="m", stream=True)]
    assert kinds[0] is PieceKind.START
    assert kinds.count(PieceKind.CONTENT) >= 4
    assert kinds.count(PieceKind.TOOL_CALL) >= 3
    assert kinds[-2:] == [PieceKind.FINISH, PieceKind.END]


def test_calls_without_an_id_get_one():
    """Bedrock gives every tool use an id, and no two the same."""
    calls = (ToolCall(None, "f", "{}"), ToolCall(None, "f", "{}"))
    answer = Answer(tool_calls=calls, finish=Finish.TOOL_CALLS)
    data = b"".join(p.data for p in FORMAT.write_answer(answer, model="m", stream=True))
    ids = [call.id for call in read_stream(FORMAT, data).tool_calls]
    assert None not in ids
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Too many requests, please wait before trying again.", "throttlingException"),
        ("Input is too long for requested model.", "validationException"),
        ("Bedrock is unable to process your request.", "serviceUnavailableException"),
        ("Something else", "internalServerException"),
    ],
)
def test_errors_inside_a_stream_are_exceptions(message, name):
    """An error body becomes a frame of the exception that fits it."""
    reading = read_stream(FORMAT, FORMAT.write_error_event({"message": message}))
    assert reading.error is not None
    assert (reading.error.message, reading.error.type) == (message, name)
    assert reading.error.in_band
    assert reading.error.status == status_of_exception(name)


def test_a_cut_stream_says_so():
    """A stream that ends in the middle of a frame has no end and no finish."""
    pieces = FORMAT.write_answer(Answer(text="a long answer"), model="m", stream=True)
    data = b"".join(piece.data for piece in pieces[:3]) + pieces[3].data[:-5]
    found = defects(read_stream(FORMAT, data))
    assert found == [Defect.TRUNCATED_EVENT, Defect.NO_FINISH, Defect.NO_TERMINATOR]


def test_media_types():
    """A stream is an event stream of Amazon's kind."""
    assert FORMAT.content_type(stream=True) == "application/vnd.amazon.eventstream"
    assert FORMAT.content_type(stream=False) == "application/json"
