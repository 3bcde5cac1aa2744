"""Anthropic's language inside Bedrock's frames."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.aws_event_stream import EventStreamReader, write_message
from chaos.protocol.conversation import Answer, Ask, Turn
from chaos.protocol.formats.bedrock_invoke import BedrockInvoke
from chaos.protocol.reading import Defect
from tests.fakes.streams import answers, read_stream

FORMAT = BedrockInvoke()


def test_a_request_names_neither_model_nor_stream():
    """Both are in the path; the version is in the body instead of a header."""
    ask = Ask(turns=(Turn("user", "hi"),), max_tokens=16)
    body = FORMAT.write_ask(ask, model="m", stream=True)
    assert body["anthropic_version"] == "bedrock-2023-05-31"
    assert not {"model", "stream"} & body.keys()
    assert FORMAT.read_ask(body) == ask


@given(answers(), st.integers(1, 300))
def test_streamed_answers_are_read_again_whatever_the_split(answer, size):
    """A streamed reply says what the answer said, without a defect."""
    data = b"".join(p.data for p in FORMAT.write_answer(answer, model="m", stream=True))
    reading = read_stream(FORMAT, data, size)
    assert reading.defects == ()
    assert (reading.text, reading.finish, reading.ended) == (answer.text, answer.finish, True)
    assert reading.tool_calls == answer.tool_calls


def test_every_event_has_a_frame_of_its_own():
    """One chunk carries one event in Base64."""
    first, *_ = FORMAT.write_answer(Answer(text="hello"), model="m", stream=True)
    (message,) = EventStreamReader().feed(first.data)
    assert message.headers[":event-type"] == "chunk"
    assert json.loads(message.payload).keys() == {"bytes"}


def test_whole_replies_are_anthropics():
    """A reply that is not streamed is the Messages API's own."""
    (piece,) = FORMAT.write_answer(Answer(text="hello"), model="m", stream=False)
    assert FORMAT.read_reply(200, piece.data).text == "hello"


def test_errors_are_bedrocks():
    """An error has Bedrock's envelope, not Anthropic's."""
    error = FORMAT.read_reply(429, b'{"message":"Too many requests"}').error
    assert error is not None
    assert (error.message, error.well_formed) == ("Too many requests", True)


def test_an_exception_frame_is_an_error_in_the_stream():
    """What Bedrock reports inside a stream is the reply's error."""
    start, *_ = FORMAT.write_answer(Answer(text="hello"), model="m", stream=True)
    failure = FORMAT.write_error_event({"message": "Too many requests"})
    reading = read_stream(FORMAT, start.data + failure)
    assert reading.error is not None
    assert (reading.error.in_band, reading.error.status) == (True, 429)


def test_a_chunk_without_an_event_is_a_defect():
    """A frame that carries no JSON in Base64 is named."""
    headers = {":message-type": "event", ":event-type": "chunk"}
    for payload in (b"{}", b"x", b'{"bytes":"!"}', b'{"bytes":"eA=="}'):
        reading = read_stream(FORMAT, write_message(headers, payload))
        assert reading.has(Defect.EVENT_NOT_JSON)


def test_a_cut_frame_is_a_defect():
    """A stream that ends within a frame says so."""
    start, *_ = FORMAT.write_answer(Answer(text="hello"), model="m", stream=True)
    assert read_stream(FORMAT, start.data[:-2]).has(Defect.TRUNCATED_EVENT)


@given(st.binary(max_size=80))
def test_no_bytes_make_it_raise(payload):
    """Whatever a frame carries, there is a reading."""
    headers = {":message-type": "event", ":event-type": "chunk"}
    read_stream(FORMAT, write_message(headers, payload) + payload)
