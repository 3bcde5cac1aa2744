"""Chat completions: what is written is read back, and LiteLLM's own replies are read right."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given

from chaos.protocol.conversation import Answer, Ask, Finish, ResponseSchema, ToolCall, Turn
from chaos.protocol.format import PieceKind
from chaos.protocol.formats.chat_completions.write import ChatCompletions, split_evenly
from chaos.protocol.reading import Reading, Usage
from tests.fakes.examples import (
    CALL,
    OTHER_CALL,
    SCHEMA,
    WEATHER,
    answers,
    asks,
    cut,
    split_places,
)
from tests.fakes.recorded_replies import RECORDED, read_recorded

CHAT = ChatCompletions()
ANSWER = Answer(
    text="The capital is Paris.",
    tool_calls=(CALL, OTHER_CALL),
    reasoning="Think first.",
    finish=Finish.TOOL_CALLS,
)


def neutral(reading: Reading) -> Answer:
    """Make the answer that *reading* tells of."""
    assert reading.usage is not None
    assert reading.finish is not None
    return Answer(
        text=reading.text,
        tool_calls=reading.tool_calls,
        reasoning=reading.reasoning,
        finish=reading.finish,
        input_tokens=reading.usage.input_tokens or 0,
        output_tokens=reading.usage.output_tokens or 0,
    )


@given(asks)
def test_an_ask_is_read_back_as_it_was_written(ask):
    """Nothing that an ask holds is lost or changed on the wire."""
    body = json.loads(json.dumps(CHAT.write_ask(ask, model="m", stream=False)))
    assert CHAT.read_ask(body) == ask


@given(answers, split_places)
def test_a_streamed_answer_is_read_back_whatever_the_split(answer, places):
    """The stream of an answer tells the whole answer, without a defect."""
    pieces = CHAT.write_answer(answer, model="m", stream=True)
    reader = CHAT.stream_reader()
    for part in cut(b"".join(piece.data for piece in pieces), places):
        reader.feed(part)
    reading = reader.close()
    assert (neutral(reading), ()) == (answer, reading.defects)
    assert (reading.ended, reading.starts, reading.models) == (True, 1, ("m",))


@given(answers)
def test_a_whole_answer_is_read_back(answer):
    """The body of an answer tells the whole answer, without a defect."""
    (piece,) = CHAT.write_answer(answer, model="m", stream=False)
    reading = CHAT.read_reply(200, piece.data)
    assert (neutral(reading), (), True) == (answer, reading.defects, reading.ended)


def test_a_stream_has_enough_pieces_to_be_cut_between():
    """Faults find a start, four pieces of text, three of each call, and an end."""
    kinds = [piece.kind for piece in CHAT.write_answer(ANSWER, model="m", stream=True)]
    assert kinds == [
        PieceKind.START,
        *[PieceKind.REASONING] * 4,
        *[PieceKind.CONTENT] * 4,
        *[PieceKind.TOOL_CALL] * 6,
        *[PieceKind.FINISH] * 2,
        PieceKind.END,
    ]


def test_a_call_is_named_in_its_first_fragment_only():
    """The id and the name come first, and the arguments after them in parts."""
    pieces = CHAT.write_answer(ANSWER, model="m", stream=True)
    fragments = [
        json.loads(piece.data[6:])["choices"][0]["delta"]["tool_calls"][0]
        for piece in pieces
        if piece.kind is PieceKind.TOOL_CALL
    ][:3]
    assert [fragment["index"] for fragment in fragments] == [0, 0, 0]
    assert (
        fragments[0]["id"],
        fragments[0]["function"]["name"],
        fragments[0]["function"]["arguments"],
    ) == ("call_1", "get_weather", "")
    assert [{"index", "function"}] * 2 == [set(fragment) for fragment in fragments[1:]]
    assert CALL.arguments == "".join(part["function"]["arguments"] for part in fragments)


def test_two_different_answers_have_two_ids():
    """A reply put together of two answers can be told by its ids."""
    ids = {
        json.loads(CHAT.write_answer(Answer(text=text), model=model, stream=False)[0].data)["id"]
        for text, model in (("a", "m"), ("b", "m"), ("a", "n"))
    }
    assert len(ids) == 3


def test_a_request_is_written_as_openai_documents_it():
    """The body has the names and nesting that every server of this format takes."""
    ask = Ask(
        turns=(
            Turn("system", "Be brief."),
            Turn("user", "What is this?", images=("iVBORw0KGgo=",)),
            Turn("assistant", tool_calls=(CALL,)),
            Turn("tool", "21 degrees", tool_call_id="call_1"),
        ),
        tools=(WEATHER,),
        tool_choice="get_weather",
        parallel_tool_calls=False,
        response_schema=ResponseSchema("answer", SCHEMA),
        max_tokens=512,
        temperature=0,
        extra={"seed": 1},
    )
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": CALL.arguments},
    }
    assert CHAT.write_ask(ask, model="group", stream=True) == {
        "model": "group",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                    },
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": WEATHER.description,
                    "parameters": SCHEMA,
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "parallel_tool_calls": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
        },
        "max_tokens": 512,
        "temperature": 0,
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("body", "ask"),
    [
        ({"max_completion_tokens": 7}, Ask(max_tokens=7)),
        ({"max_tokens": 5, "max_completion_tokens": 7}, Ask(max_tokens=5)),
        (
            {"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}]}]},
            Ask(turns=(Turn("system", "a"),)),
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "a"},
                            {"type": "image_url", "image_url": "data:image/jpeg;base64,AAAA"},
                            {"type": "text", "text": "b"},
                        ],
                    }
                ]
            },
            Ask(turns=(Turn("user", "a\nb", images=("AAAA",)),)),
        ),
        ({"tool_choice": "any"}, Ask(tool_choice="required")),
        ({"tool_choice": {"type": "function", "name": "f"}}, Ask(tool_choice="f")),
        ({"response_format": {"type": "json_object"}}, Ask()),
        ({"metadata": {"secret": "x"}, "api_key": "sk-x"}, Ask()),
        ({"messages": "no", "tools": [1, {}], "tool_choice": 3, "max_tokens": "x"}, Ask()),
        (
            {"messages": [{"function_call": {"name": "f", "arguments": {"a": 1}}}]},
            Ask(turns=(Turn("user", tool_calls=(ToolCall(None, "f", '{"a": 1}'),)),)),
        ),
    ],
)
def test_a_request_of_a_gateway_is_read_leniently(body, ask):
    """Other names, lists of parts and odd values give an ask; unknown fields are left out."""
    assert CHAT.read_ask(body) == ask


def test_an_error_event_is_read_as_an_error_inside_the_stream():
    """What a fault writes into a stream that began well is an error to the reader."""
    error = {"error": {"message": "Overloaded", "type": "server_error", "param": None, "code": 503}}
    reader = CHAT.stream_reader()
    reader.feed(CHAT.write_error_event(error))
    told = reader.close().error
    assert told is not None
    assert (
        told.message,
        told.status,
        told.well_formed,
        told.in_band,
    ) == ("Overloaded", 503, True, True)
    assert CHAT.write_error_event(error["error"]) == CHAT.write_error_event(error)


def test_the_media_type_tells_a_stream():
    """A client sees by the media type whether events come."""
    assert CHAT.content_type(stream=True).startswith("text/event-stream")
    assert CHAT.content_type(stream=False) == "application/json"


@pytest.mark.parametrize("at_least", [2, 4])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 399, 4000])
def test_a_text_is_cut_into_at_least_so_many_pieces(length, at_least):
    """Even a text shorter than the number of its pieces makes that many."""
    whole = "abcdefghij"[: min(length, 10)] * -(-length // 10)
    pieces = split_evenly(whole, at_least)
    assert (whole, True) == ("".join(pieces), len(pieces) >= at_least)


PARIS = "The capital of France is Paris."
PARIS_CALL = (ToolCall("call_lab1", "get_weather", '{"city": "Paris"}'),)


@pytest.mark.parametrize("name", ["hosted_vllm_good_text_stream", "hosted_vllm_good_text_whole"])
def test_a_good_answer_of_litellm_has_no_defect(name):
    """A plain answer through LiteLLM reads whole, streamed or not."""
    reading = read_recorded("chat_completions", name, CHAT)
    assert (
        reading.text,
        reading.finish,
        reading.ended,
        reading.starts,
    ) == (PARIS, Finish.STOP, True, 1)
    assert (reading.error, reading.defects, len(reading.ids)) == (None, (), 1)


@pytest.mark.parametrize(
    "name",
    ["anthropic_good_tool_stream", "gemini_good_tool_stream", "hosted_vllm_good_tool_whole"],
)
def test_a_good_call_through_litellm_has_no_defect(name):
    """A tool call of any provider reads whole, streamed or not."""
    reading = read_recorded("chat_completions", name, CHAT)
    assert [(call.name, call.arguments) for call in reading.tool_calls] == [
        ("get_weather", '{"city": "Paris"}')
    ]
    assert (reading.finish, reading.defects) == (Finish.TOOL_CALLS, ())


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("openai_err401_stream", 401),
        ("gemini_err400_stream", 400),
        ("hosted_vllm_err429_whole", 429),
    ],
)
def test_an_error_of_litellm_is_well_formed(name, status):
    """LiteLLM's error bodies have the envelope, and name their status as text."""
    reading = read_recorded("chat_completions", name, CHAT)
    assert reading.error is not None
    assert (True, False, status) == (
        reading.error.well_formed,
        reading.error.in_band,
        reading.error.status,
    )


@pytest.mark.parametrize("name", ["openai_rst_mid_tool_stream", "anthropic_inband_mid_stream"])
def test_an_error_inside_a_stream_of_litellm_is_seen(name):
    """After output LiteLLM tells of an upstream's end inside the stream, and stops there."""
    reading = read_recorded("chat_completions", name, CHAT)
    assert reading.error is not None
    assert (
        reading.error.in_band,
        reading.error.well_formed,
        reading.finish,
        reading.defects,
    ) == (True, True, None, ())
    assert reading.has_output


def test_litellm_presents_half_a_call_as_complete():
    """A stream cut inside a call reads as finished: only the arguments show what happened."""
    reading = read_recorded("chat_completions", "openai_eof_mid_tool_stream", CHAT)
    assert (
        reading.tool_calls[0].arguments,
        reading.finish,
        reading.ended,
    ) == ('{"city": "Pa', Finish.STOP, True)


@pytest.mark.parametrize("name", ["openai_empty200_stream", "openai_empty_text_whole"])
def test_an_empty_answer_of_litellm_has_no_output(name):
    """An empty reply that LiteLLM presents as complete is one without output."""
    reading = read_recorded("chat_completions", name, CHAT)
    assert (reading.has_output, reading.finish, reading.error) == (False, Finish.STOP, None)


def test_usage_is_read_from_a_recording():
    """Tokens are counted as the reply counts them."""
    reading = read_recorded("chat_completions", "hosted_vllm_good_text_whole", CHAT)
    assert reading.usage == Usage(input_tokens=14, output_tokens=7, reasoning_tokens=None)


def test_every_recording_is_read_by_a_test():
    """No recording lies about unread."""
    text = Path(__file__).read_text(encoding="utf-8")
    names = [path.stem for path in (RECORDED / "chat_completions").glob("*.json")]
    assert names
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("stream", [False, True])
def test_every_call_of_an_answer_gets_an_id_of_its_own(stream):
    """Calls that come without ids are told apart on the wire."""
    answer = Answer(
        tool_calls=(ToolCall(None, "f", "{}"), ToolCall(None, "f", "{}")), finish=Finish.TOOL_CALLS
    )
    sent = b"".join(piece.data for piece in CHAT.write_answer(answer, model="m", stream=stream))
    ids = set(re.findall(rb'"id": "(call_[^"]+)"', sent))
    assert len(ids) == 2
