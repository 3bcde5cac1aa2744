"""Gemini's replies, read strictly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish
from chaos.protocol.formats.generate_content.reply import read_generate_content_reply
from chaos.protocol.formats.generate_content.write import GenerateContent
from chaos.protocol.reading import Defect
from tests.fakes.streams import defects, read_stream

FORMAT = GenerateContent()


def chunk(*parts, **candidate):
    """Make one chunk with *parts*."""
    content = {"parts": list(parts), "role": "model"}
    return {"candidates": [{"content": content, "index": 0, **candidate}], "responseId": "r1"}


def events(*chunks):
    """Write *chunks* as a stream."""
    return b"".join(f"data: {json.dumps(each)}\r\n\r\n".encode() for each in chunks)


def read(body):
    """Read *body* as a reply of status 200."""
    return read_generate_content_reply(200, json.dumps(body).encode())


def test_chunks_add_up():
    """Text of all chunks is one text, thoughts are reasoning."""
    data = events(
        chunk({"text": "hm", "thought": True}),
        chunk({"text": "hel"}),
        chunk({"text": "lo"}, finishReason="STOP"),
    )
    reading = read_stream(FORMAT, data)
    assert (reading.text, reading.reasoning, reading.finish) == ("hello", "hm", Finish.STOP)
    assert (reading.ended, reading.defects, reading.ids) == (True, (), ("r1",))


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("MAX_TOKENS", Finish.LENGTH),
        ("SAFETY", Finish.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", Finish.OTHER),
    ],
)
def test_reasons_to_stop_are_translated(reason, finish):
    """Gemini's words for the end become ours."""
    assert read(chunk({"text": "x"}, finishReason=reason)).finish is finish


def test_a_stop_after_a_call_is_the_call():
    """Gemini says STOP for a tool call too."""
    call = {"functionCall": {"name": "f", "args": {"a": 1}, "id": "i"}}
    reading = read(chunk(call, finishReason="STOP"))
    assert reading.finish is Finish.TOOL_CALLS
    assert (reading.tool_calls[0].id, reading.tool_calls[0].arguments) == ("i", '{"a":1}')


def test_a_blocked_prompt_is_a_refusal():
    """A reply without candidates that says why is no broken reply."""
    reading = read({"promptFeedback": {"blockReason": "SAFETY"}})
    assert (reading.refusal, reading.finish) == ("SAFETY", Finish.CONTENT_FILTER)
    assert reading.defects == ()


@pytest.mark.parametrize(
    ("body", "defect"),
    [
        ({}, Defect.NO_OUTPUT_FIELD),
        ({"usageMetadata": {"promptTokenCount": 1}}, Defect.NO_OUTPUT_FIELD),
        (chunk({"text": "x"}), Defect.NO_FINISH),
        (chunk({"text": 5}, finishReason="STOP"), Defect.WRONG_SHAPE),
        (chunk({"functionCall": {"name": "f", "args": "{}"}}), Defect.WRONG_SHAPE),
        (chunk({"surprise": 5}, finishReason="STOP"), Defect.UNKNOWN_EVENT),
        (chunk({"text": "x"}, finishReason=5), Defect.WRONG_SHAPE),
        ({"candidates": {}}, Defect.WRONG_SHAPE),
    ],
)
def test_what_breaks_the_form_is_named(body, defect):
    """Each way of breaking the form has its defect."""
    assert defect in defects(read(body))


@pytest.mark.parametrize(
    ("data", "defect"),
    [
        (b"", Defect.NO_FINISH),
        (b"data: {\r\n\r\n", Defect.EVENT_NOT_JSON),
        (b"data: [1]\r\n\r\n", Defect.EVENT_NOT_JSON),
        (b"event: x\r\ndata: {}\r\n\r\n", Defect.UNKNOWN_EVENT),
        (b'data: {"candidates": [', Defect.TRUNCATED_EVENT),
        (
            events(chunk({"text": "a"}, finishReason="STOP"), chunk({"text": "b"})),
            Defect.AFTER_END,
        ),
        (
            events(chunk({"text": "a"}), {**chunk({"text": "b"}), "responseId": "r2"}),
            Defect.SECOND_START,
        ),
    ],
)
def test_what_breaks_a_stream_is_named(data, defect):
    """Each way of breaking a stream has its defect."""
    assert defect in defects(read_stream(FORMAT, data))


def test_two_answers_in_one_stream_are_two_starts():
    """A second response id is a second beginning."""
    data = events(chunk({"text": "a"}), {**chunk({"text": "b"}), "responseId": "r2"})
    assert read_stream(FORMAT, data).starts == 2


def test_the_first_token_is_noticed_at_once():
    """Output has begun with the first text, not with an empty one."""
    reader = FORMAT.stream_reader()
    reader.feed(events(chunk({"text": ""})))
    assert not reader.has_output
    reader.feed(events(chunk({"text": "a"})))
    assert reader.has_output


def test_errors_are_told_apart_by_status():
    """The same body is an error outside, and one in band inside a success."""
    body = b'{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}'
    outside = read_generate_content_reply(400, body).error
    inside = read_generate_content_reply(200, body).error
    assert outside is not None
    assert inside is not None
    assert (outside.in_band, inside.in_band) == (False, True)


@pytest.mark.parametrize(
    ("body", "defect"), [(b"<html>", Defect.NOT_JSON), (b"[]", Defect.NOT_AN_OBJECT)]
)
def test_a_success_that_is_none_is_a_defect(body, defect):
    """A 200 that is no reply is named for what it is, and a 502 is an error besides."""
    assert defects(read_generate_content_reply(200, body)) == [defect]
    assert read_generate_content_reply(502, body).error is not None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "candidates",
                    "content",
                    "parts",
                    "text",
                    "functionCall",
                    "args",
                    "finishReason",
                    "usageMetadata",
                    "promptFeedback",
                    "error",
                    "responseId",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from([200, 429]),
    st.binary(max_size=60) | _JSON.map(lambda v: json.dumps(v).encode()),
)
def test_no_bytes_make_it_raise(status, body):
    """Whatever comes is a reading, whole or streamed, and its text can be written."""
    read_generate_content_reply(status, body).text.encode()
    read_stream(FORMAT, b"data: " + body + b"\n\n" + body).text.encode()
