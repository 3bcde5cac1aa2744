"""Tests of streamed replies of OpenAI's Responses API."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.responses.write import Responses
from chaos.protocol.reading import Defect, ReadError, Reading
from tests.fakes.streams import (
    defects,
    events,
    good_recordings,
    read_stream,
    recorded,
)

RESPONSES = Responses()
PART = {"type": "output_text", "text": "hi"}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [PART]}
CALL = {"id": "fc", "type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}


def event(kind, **fields):
    """Write one event of this API."""
    return {"type": f"response.{kind}", "output_index": 0, "content_index": 0, **fields}


def response(*output, status="completed", **fields):
    """Write a response object."""
    return {"id": "resp_1", "model": "m", "status": status, "output": list(output), **fields}


CREATED = event("created", response=response(status="in_progress"))
SECOND = event("created", response=response(status="in_progress", id="resp_2", model="other"))
ADDED = event("output_item.added", item={**MESSAGE, "content": []})
PART_ADDED = event("content_part.added", part={**PART, "text": ""})
DELTA = event("output_text.delta", delta="hi")
TEXT_DONE = event("output_text.done", text="hi")
PART_DONE = event("content_part.done", part=PART)
DONE = event("output_item.done", item=MESSAGE)
COMPLETED = event("completed", response=response(MESSAGE))
TEXT = (ADDED, PART_ADDED, DELTA, TEXT_DONE, PART_DONE, DONE)
CALL_ADDED = event("output_item.added", item={**CALL, "arguments": ""})
ARGUMENTS = event("function_call_arguments.delta", delta="{}")
ARGUMENTS_DONE = event("function_call_arguments.done", arguments="{}")
CALL_DONE = event("output_item.done", item=CALL)
CALLED = event("completed", response=response(CALL))
FAILED = event(
    "failed", response=response(status="failed", error={"code": "server_error", "message": "m"})
)
EMPTY = event("completed", response=response())
ALL = (CREATED, *TEXT, COMPLETED, CALL_ADDED, ARGUMENTS, ARGUMENTS_DONE, CALL_DONE, FAILED, SECOND)


def read(*payloads):
    """Read a stream of *payloads*."""
    return read_stream(RESPONSES, events(*payloads))


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_give_a_reading(chunks):
    """No bytes and no split make the reader raise."""
    reader = RESPONSES.stream_reader()
    for chunk in chunks:
        reader.feed(chunk)
    assert isinstance(reader.close(), Reading)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ALL),
            st.dictionaries(
                st.sampled_from(["output_index", "item", "part", "delta", "response", "error"]),
                st.none() | st.integers(-1, 2) | st.sampled_from(["x", {}, [], {"output": [1]}]),
                max_size=1,
            ),
        ),
        max_size=9,
    ),
    st.integers(1, 40),
)
def test_any_order_of_events_gives_a_reading_whatever_the_split(payloads, size):
    """No order and no odd field makes the reader raise, and the split changes nothing."""
    data = events(*({**payload, **odd} for payload, odd in payloads))
    assert read_stream(RESPONSES, data, size) == read_stream(RESPONSES, data)


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ((CREATED, *TEXT, COMPLETED), []),
        ((CREATED, event("in_progress", response=response()), *TEXT, COMPLETED), []),
        ((CREATED, CALL_ADDED, ARGUMENTS, ARGUMENTS_DONE, CALL_DONE, CALLED), []),
        ((CREATED, EMPTY), []),
        ((CREATED, *TEXT), [Defect.NO_FINISH, Defect.NO_TERMINATOR]),
        ((CREATED, *TEXT[:3]), [Defect.NO_FINISH, Defect.NO_TERMINATOR]),
        ((), [Defect.NO_START, Defect.NO_FINISH, Defect.NO_TERMINATOR]),
        ((EMPTY,), [Defect.NO_START] * 2),
        ((CREATED, {**ADDED, "output_index": 1}, EMPTY), [Defect.INDEX_GAP]),
        ((CREATED, ADDED, {**PART_ADDED, "content_index": 1}, EMPTY), [Defect.INDEX_GAP]),
        ((CREATED, DELTA, EMPTY), [Defect.ORPHAN_FRAGMENT]),
        ((CREATED, ADDED, DELTA, EMPTY), [Defect.ORPHAN_FRAGMENT]),
        ((CREATED, ARGUMENTS, EMPTY), [Defect.ORPHAN_FRAGMENT]),
        ((CREATED, DONE, EMPTY), [Defect.ORPHAN_FRAGMENT]),
        ((CREATED, ADDED, ARGUMENTS, EMPTY), [Defect.ORPHAN_FRAGMENT]),
        ((CREATED, *TEXT[:3], {**TEXT_DONE, "text": "ho"}, COMPLETED), [Defect.WRONG_SHAPE]),
        ((CREATED, *TEXT, DONE, COMPLETED), [Defect.WRONG_SHAPE]),
        ((CREATED, *TEXT, EMPTY), [Defect.WRONG_SHAPE]),
        ((CREATED, COMPLETED), [Defect.WRONG_SHAPE]),
        ((CREATED, CALL_ADDED, ARGUMENTS, EMPTY), [Defect.WRONG_SHAPE]),
        ((CREATED, event("completed", response=response(status="failed"))), ["wrong_shape"]),
        ((CREATED, SECOND, *TEXT, COMPLETED), [Defect.SECOND_START]),
        ((CREATED, *TEXT[:3], SECOND, *TEXT, COMPLETED), [Defect.SECOND_START]),
        ((CREATED, *TEXT, COMPLETED, DELTA), [Defect.AFTER_END]),
        ((CREATED, event("thinking"), EMPTY), [Defect.UNKNOWN_EVENT]),
        ((CREATED, event("web_search_call.searching"), EMPTY), []),
        ((CREATED, *TEXT[:3], FAILED), []),
        ((FAILED,), []),
    ],
)
def test_each_broken_stream_is_named(payloads, expected):
    """What breaks the order of events is a defect of its own kind, and nothing else is one."""
    assert defects(read(*payloads)) == expected


def test_a_call_without_an_id_is_named():
    """A client could not answer such a call."""
    nameless = event("output_item.added", item={**CALL, "call_id": None, "arguments": ""})
    assert Defect.MISSING_CALL_ID in defects(read(CREATED, nameless))


def test_two_answers_in_one_are_both_seen():
    """A spliced stream shows two starts, two ids, two models and the words of both."""
    reading = read(CREATED, *TEXT[:3], SECOND, *TEXT, COMPLETED)
    assert (reading.starts, reading.text, reading.ended) == (2, "hihi", True)
    assert (reading.ids, reading.models) == (("resp_1", "resp_2"), ("m", "other"))


def test_orphaned_words_are_kept():
    """Text for a part that never began is a defect, and still there to be checked."""
    assert read(CREATED, DELTA, EMPTY).text == "hi"


def test_reasoning_and_refusals_are_read():
    """Both kinds of reasoning and a refusal have their place."""
    thought = {"type": "reasoning", "summary": None}
    refusal = {"type": "refusal", "refusal": ""}
    place = {"output_index": 1}
    output = {**MESSAGE, "content": [{"type": "refusal", "refusal": "No."}]}
    reading = read(
        CREATED,
        event("output_item.added", item=thought),
        event("reasoning_summary_text.delta", delta="h"),
        event("reasoning_summary_text.done", text="h"),
        event("reasoning_text.delta", delta="m"),
        event("output_item.added", item={**MESSAGE, "content": []}, **place),
        event("content_part.added", part=refusal, **place),
        event("refusal.delta", delta="No.", **place),
        event("refusal.done", refusal="No.", **place),
        event("completed", response=response(thought, output)),
    )
    assert defects(reading) == []
    assert (reading.reasoning, reading.refusal, reading.text) == ("hm", "No.", "")


def test_what_came_in_no_delta_is_read_from_the_end():
    """Text and arguments that only the done events tell are not lost."""
    told = read(CREATED, ADDED, PART_ADDED, TEXT_DONE, PART_DONE, DONE, COMPLETED)
    called = read(CREATED, CALL_ADDED, ARGUMENTS_DONE, CALL_DONE, CALLED)
    assert (told.text, defects(told)) == ("hi", [])
    assert (called.tool_calls, defects(called)) == ((ToolCall("c", "n", "{}"),), [])


def test_an_incomplete_response_ends_for_its_reason():
    """A response that ran out of tokens has ended, by its length."""
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    closing = event("incomplete", response=response(MESSAGE, status="incomplete", **details))
    reading = read(CREATED, *TEXT, closing)
    assert (reading.finish, reading.ended, defects(reading)) == (Finish.LENGTH, True, [])


@pytest.mark.parametrize(
    ("data", "well_formed"),
    [
        ({"type": "error", "error": {"code": "c", "message": "m", "type": "t"}}, True),
        ({"type": "error", "code": "c", "message": "m", "param": None}, True),
        ({"error": {"code": "c", "message": "m", "type": "t"}}, False),
        ({"type": "error", "error": {"code": "c"}}, False),
        ({"type": "error"}, False),
        ({"error": "m"}, False),
    ],
)
def test_an_error_event_is_well_formed_if_it_says_what_it_is(data, well_formed):
    """Nested or flat, an error event has a type and a message; all others are read as well."""
    reading = read_stream(RESPONSES, f"data: {json.dumps(data)}\n\ndata: [DONE]\n\n".encode())
    assert reading.error is not None
    assert (reading.error.in_band, reading.error.well_formed) == (True, well_formed)
    assert (defects(reading), reading.ended) == ([], False)


def test_a_failed_response_after_words_is_an_error_and_an_end():
    """response.failed closes the stream and tells why."""
    reading = read(CREATED, *TEXT[:3], FAILED)
    assert reading.error == ReadError("m", code="server_error", in_band=True)
    assert (reading.ended, reading.finish, reading.text) == (True, None, "hi")


def test_done_does_not_end_a_response():
    """Chat's terminator in place of response.completed is no end."""
    data = events(CREATED, *TEXT) + b"data: [DONE]\n\n"
    assert defects(read_stream(RESPONSES, data)) == [
        Defect.UNKNOWN_EVENT,
        Defect.NO_FINISH,
        Defect.NO_TERMINATOR,
    ]


def test_numbers_of_events_are_not_looked_at():
    """LiteLLM's bridge leaves them out or repeats them, and no client minds."""
    odd = [{**payload, "sequence_number": 1} for payload in (CREATED, *TEXT, COMPLETED)]
    assert defects(read(*odd)) == []


def test_a_json_error_in_place_of_events_is_read():
    """An error body under a stream's 200 is told as an error, and as no event stream."""
    reading = read_stream(RESPONSES, b'{"error":{"message":"m","type":"t"}}')
    assert reading.error is not None
    assert reading.error.in_band
    assert defects(reading) == [Defect.WRONG_SHAPE]


def test_a_cut_event_is_named():
    """Bytes of an event that never ended are a defect."""
    data = events(CREATED, EMPTY) + b"event: resp"
    assert defects(read_stream(RESPONSES, data)) == [Defect.TRUNCATED_EVENT]


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ((CREATED, ADDED, PART_ADDED), False),
        ((CREATED, *TEXT[:3]), True),
        ((CREATED, CALL_ADDED), True),
        ((CREATED, event("reasoning_text.delta", delta="hm")), True),
        ((FAILED,), False),
    ],
)
def test_the_first_token_is_the_first_output(payloads, expected):
    """Lifecycle events and errors are no output; text, reasoning and a call's start are."""
    reader = RESPONSES.stream_reader()
    reader.feed(events(*payloads))
    assert reader.has_output is expected


@pytest.mark.parametrize("name", [n for n in good_recordings(RESPONSES) if n.endswith("_stream")])
def test_litellms_healthy_streams_are_read_without_a_defect(name):
    """What the real LiteLLM streams when all is well is well, bridged or native."""
    reading = recorded(RESPONSES, name)
    assert defects(reading) == []
    assert reading.error is None
    assert (reading.ended, reading.starts) == (True, 1)
    assert (len(reading.ids), len(reading.models)) == (1, 1)
    assert reading.finish is (Finish.TOOL_CALLS if "tool" in name else Finish.STOP)
    assert [call.arguments for call in reading.tool_calls] == (
        ['{"city": "Paris"}'] if "tool" in name else []
    )


@pytest.mark.parametrize(
    ("name", "code", "text", "starts"),
    [
        ("gemini_err401_stream", "authentication_error", "", 0),
        ("anthropic_inband_mid_stream", "server_error", "The capital of France", 1),
        ("openai_eof_midtext_stream", "server_error", "The capital of France", 1),
    ],
)
def test_litellms_failures_are_errors_in_band(name, code, text, starts):
    """LiteLLM's response.failed is well formed, in band, and the only thing wrong."""
    reading = recorded(RESPONSES, name)
    assert reading.error is not None
    assert (reading.error.code, reading.error.in_band) == (code, True)
    assert reading.error.well_formed
    assert (reading.text, reading.starts, defects(reading)) == (text, starts, [])


def test_litellms_invented_end_leaves_half_a_call():
    """A bridged stream cut inside a call is completed, with arguments that are no JSON."""
    reading = recorded(RESPONSES, "anthropic_eof_mid_tool_stream")
    assert (defects(reading), reading.ended, reading.finish) == ([], True, Finish.TOOL_CALLS)
    assert [call.arguments for call in reading.tool_calls] == ['{"city": "Pa']
