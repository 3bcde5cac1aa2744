"""Tests of streamed replies of Anthropic's Messages API."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.messages.write import Messages
from chaos.protocol.reading import Defect, Reading
from tests.fakes.streams import (
    defects,
    events,
    good_recordings,
    read_stream,
    recorded,
)

MESSAGES = Messages()
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
START = {"type": "message_start", "message": MESSAGE}
SECOND = {"type": "message_start", "message": {**MESSAGE, "id": "msg_2", "model": "other"}}
FINISH = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 9},
}
STOP = {"type": "message_stop"}
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def begin(index=0, **block):
    """Write a block's start; of text, unless told otherwise."""
    content = {"type": "text", "text": "", **block}
    return {"type": "content_block_start", "index": index, "content_block": content}


def delta(index=0, **fields):
    """Write a fragment; of text, unless told otherwise."""
    told = {"type": "text_delta", "text": "hi", **fields}
    return {"type": "content_block_delta", "index": index, "delta": told}


def end(index=0):
    """Write a block's end."""
    return {"type": "content_block_stop", "index": index}


BLOCK = (begin(), delta(), end())
CALL = {"type": "tool_use", "id": "t1", "name": "n", "input": {}}
JSON = {"type": "input_json_delta", "partial_json": '{"a":1}'}


def read(*payloads):
    """Read a stream of *payloads*."""
    return read_stream(MESSAGES, events(*payloads))


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_give_a_reading(chunks):
    """No bytes and no split make the reader raise."""
    reader = MESSAGES.stream_reader()
    for chunk in chunks:
        reader.feed(chunk)
    assert isinstance(reader.close(), Reading)


@given(
    st.lists(
        st.sampled_from([START, begin(), begin(1, **CALL), delta(), delta(1, **JSON), end()])
        | st.sampled_from([FINISH, STOP, ERROR, {"type": "ping"}, {"type": 1}, {"type": "x"}])
        | st.dictionaries(
            st.sampled_from(["type", "index", "delta", "message", "content_block", "error"]),
            st.none() | st.integers(-2, 2) | st.sampled_from(["error", "message_start", {}, []]),
        ),
        max_size=8,
    ),
    st.integers(1, 40),
)
def test_any_order_of_events_gives_a_reading_whatever_the_split(payloads, size):
    """No order of events makes the reader raise, and the split changes nothing."""
    data = b"".join(
        events(payload) if isinstance(payload.get("type"), str) else b"data: {}\n\n"
        for payload in payloads
    )
    assert read_stream(MESSAGES, data, size) == read_stream(MESSAGES, data)


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ((START, *BLOCK, FINISH, STOP), []),
        ((START, {"type": "ping"}, *BLOCK, FINISH, STOP, {"type": "ping"}), []),
        ((START, FINISH, STOP), []),
        ((START, *BLOCK, FINISH), [Defect.NO_TERMINATOR]),
        ((START, *BLOCK, STOP), [Defect.NO_FINISH]),
        ((START, *BLOCK[:2]), [Defect.NO_FINISH, Defect.NO_TERMINATOR]),
        ((START, *BLOCK[:2], FINISH, STOP), [Defect.WRONG_SHAPE]),
        ((), [Defect.NO_START, Defect.NO_FINISH, Defect.NO_TERMINATOR]),
        ((START, begin(1), end(0), FINISH, STOP), [Defect.INDEX_GAP]),
        ((START, *BLOCK, begin(0), end(1), FINISH, STOP), [Defect.INDEX_GAP]),
        ((START, delta(), FINISH, STOP), [Defect.ORPHAN_FRAGMENT]),
        ((START, *BLOCK, delta(), FINISH, STOP), [Defect.ORPHAN_FRAGMENT]),
        ((START, end(), FINISH, STOP), [Defect.ORPHAN_FRAGMENT]),
        ((START, *BLOCK, end(), FINISH, STOP), [Defect.WRONG_SHAPE]),
        ((START, begin(), delta(**JSON), end(), FINISH, STOP), [Defect.WRONG_SHAPE]),
        ((START, begin(), delta(type="x"), end(), FINISH, STOP), [Defect.UNKNOWN_EVENT]),
        ((START, {"type": "chunk"}, *BLOCK, FINISH, STOP), [Defect.UNKNOWN_EVENT]),
        ((START, SECOND, *BLOCK, FINISH, STOP), [Defect.SECOND_START]),
        ((START, *BLOCK, FINISH, STOP, SECOND, *BLOCK, FINISH, STOP), [Defect.SECOND_START]),
        ((START, *BLOCK, FINISH, STOP, FINISH), [Defect.AFTER_END]),
        ((START, FINISH, begin(), end(), STOP), [Defect.AFTER_END] * 2),
        ((START, FINISH, {**FINISH, "delta": {"stop_reason": "refusal"}}, STOP), ["wrong_shape"]),
        ((START, begin(**{**CALL, "id": None}), end(), FINISH, STOP), [Defect.MISSING_CALL_ID]),
        ((START, *BLOCK[:2], ERROR), []),
        ((ERROR,), []),
        ((START, ERROR, delta()), [Defect.AFTER_END, Defect.ORPHAN_FRAGMENT]),
        ((begin(), end(), FINISH, STOP), [Defect.NO_START] * 5),
    ],
)
def test_each_broken_stream_is_named(payloads, expected):
    """What breaks the order of events is a defect of its own kind, and nothing else is one."""
    assert defects(read(*payloads)) == expected


def test_a_good_stream_is_read_whole():
    """Text, thinking, calls, usage, id and model come out as they went in."""
    thinking = {"type": "thinking", "thinking": ""}
    reading = read(
        START,
        begin(0, **thinking),
        delta(0, type="thinking_delta", thinking="hm"),
        delta(0, type="signature_delta", signature="x"),
        end(0),
        begin(1),
        delta(1),
        end(1),
        begin(2, **CALL),
        delta(2, **{**JSON, "partial_json": '{"a"'}),
        delta(2, **{**JSON, "partial_json": ":1}"}),
        end(2),
        {**FINISH, "delta": {"stop_reason": "tool_use"}},
        STOP,
    )
    assert defects(reading) == []
    assert (reading.reasoning, reading.text) == ("hm", "hi")
    assert reading.tool_calls == (ToolCall("t1", "n", '{"a":1}'),)
    assert (reading.ids, reading.models) == (("msg_1",), ("m",))
    assert reading.finish is Finish.TOOL_CALLS
    assert reading.usage is not None
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (3, 9)


def test_two_answers_in_one_are_both_seen():
    """A spliced stream shows two starts, two ids, two models and the words of both."""
    reading = read(START, *BLOCK[:2], SECOND, *BLOCK, FINISH, STOP)
    assert (reading.starts, reading.text) == (2, "hihi")
    assert (reading.ids, reading.models) == (("msg_1", "msg_2"), ("m", "other"))


def test_orphaned_words_are_kept():
    """Text for a block that never began is a defect, and still there to be checked."""
    assert read(START, delta(), FINISH, STOP).text == "hi"


def test_a_call_without_fragments_has_the_input_that_it_began_with():
    """An empty input is whole once its block was stopped, and missing before."""
    whole = read(START, begin(**CALL), end(), FINISH, STOP)
    assert [call.arguments for call in whole.tool_calls] == ["{}"]
    assert [call.arguments for call in read(START, begin(**CALL)).tool_calls] == [""]


def test_an_event_without_its_name_is_read_by_its_type():
    """A missing event line alone is no defect."""
    data = events(START, *BLOCK, FINISH, STOP)
    bare = b"\n".join(line for line in data.split(b"\n") if not line.startswith(b"event:"))
    assert read_stream(MESSAGES, bare) == read_stream(MESSAGES, data)


def test_an_error_without_its_name_is_not_well_formed():
    """Anthropic's SDKs raise only for an event that is named error."""
    named = read(ERROR).error
    bare = read_stream(MESSAGES, b'data: {"error":{"message":"m","type":"t"}}\n\ndata: [DONE]\n\n')
    assert named is not None
    assert bare.error is not None
    assert (named.well_formed, bare.error.well_formed) == (True, False)
    assert defects(bare) == []


def test_done_is_no_event_of_this_api():
    """OpenAI's terminator does not end a message."""
    data = events(START, *BLOCK) + b"data: [DONE]\n\n"
    assert Defect.UNKNOWN_EVENT in defects(read_stream(MESSAGES, data))


def test_a_json_error_in_place_of_events_is_read():
    """An error body under a stream's 200 is told as an error, and as no event stream."""
    reading = read_stream(MESSAGES, b'{"type":"error","error":{"type":"e","message":"m"}}')
    assert reading.error is not None
    assert reading.error.in_band
    assert defects(reading) == [Defect.WRONG_SHAPE]


def test_a_cut_event_is_named():
    """Bytes of an event that never ended are a defect."""
    data = events(START, *BLOCK, FINISH, STOP) + b"event: pi"
    assert defects(read_stream(MESSAGES, data)) == [Defect.TRUNCATED_EVENT]


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ((START, begin()), False),
        ((START, begin(), delta()), True),
        ((START, begin(**CALL)), True),
        ((START, begin(type="thinking", thinking="hm")), True),
        ((START, ERROR), False),
    ],
)
def test_the_first_token_is_the_first_output(payloads, expected):
    """Lifecycle events and errors are no output; text, thinking and a call's start are."""
    reader = MESSAGES.stream_reader()
    reader.feed(events(*payloads))
    assert reader.has_output is expected


@pytest.mark.parametrize("name", [n for n in good_recordings(MESSAGES) if n.endswith("_stream")])
def test_litellms_healthy_streams_are_read_without_a_defect(name):
    """What the real LiteLLM streams when all is well is well, for every provider."""
    reading = recorded(MESSAGES, name)
    assert defects(reading) == []
    assert reading.error is None
    assert (reading.ended, reading.starts, len(reading.ids)) == (True, 1, 1)
    assert reading.finish is (Finish.TOOL_CALLS if "tool" in name else Finish.STOP)
    assert [call.arguments for call in reading.tool_calls] == (
        ['{"city": "Paris"}'] if "tool" in name else []
    )


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("gemini_err401_stream", "authentication_error", ""),
        ("anthropic_inband_first_stream", "overloaded_error", ""),
        ("anthropic_inband_mid_stream", "overloaded_error", "The capital of France"),
    ],
)
def test_litellms_errors_in_band_are_seen(name, kind, text):
    """An error inside a 200 is well formed, in band, and the only thing wrong."""
    reading = recorded(MESSAGES, name)
    assert reading.error is not None
    assert (reading.error.type, reading.error.in_band) == (kind, True)
    assert reading.error.well_formed
    assert (reading.text, reading.ended, defects(reading)) == (text, False, [])


def test_litellms_cut_stream_has_no_end():
    """A native stream that Anthropic cut simply stops: neither a reason nor a terminator."""
    reading = recorded(MESSAGES, "anthropic_eof_midtext_stream")
    assert defects(reading) == [Defect.NO_FINISH, Defect.NO_TERMINATOR]


def test_litellms_invented_end_leaves_half_a_call():
    """A bridged stream cut inside a call ends flawlessly, with arguments that are no JSON."""
    reading = recorded(MESSAGES, "hosted_vllm_eof_mid_tool_stream")
    assert (defects(reading), reading.ended, reading.finish) == ([], True, Finish.STOP)
    assert [call.arguments for call in reading.tool_calls] == ['{"city": "Pa']


def test_litellms_empty_stream_has_nothing():
    """An empty 200 lacks everything that a message has."""
    assert defects(recorded(MESSAGES, "anthropic_empty200_stream")) == [
        Defect.NO_START,
        Defect.NO_FINISH,
        Defect.NO_TERMINATOR,
    ]
