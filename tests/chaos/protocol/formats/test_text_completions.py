"""Prompts that are completed, as LiteLLM asks for them."""

import json

import pytest

from chaos.protocol.conversation import Answer, Finish, Turn
from chaos.protocol.formats.text_completions import CodestralFim, TextCompletions
from chaos.protocol.reading import Defect
from tests.fakes.examples import CALL
from tests.fakes.recorded_requests import request_bodies
from tests.fakes.streams import defects, read_stream

FORMAT, FIM = TextCompletions(), CodestralFim()
OPENAI = "text-completion-openai/gpt-3.5-turbo-instruct"


def test_litellms_own_requests_are_read():
    """One turn is one prompt; a system's turn makes a list, whose first alone is answered."""
    (body,) = request_bodies(f"{OPENAI} messages False")
    assert FORMAT.read_ask(body).turns == (Turn("user", "hi nonce"),)
    (body,) = request_bodies(f"{OPENAI} chat False")
    assert body["prompt"] == ["Be brief", "hi nonce"]
    assert FORMAT.read_ask(body).turns == (Turn("user", "Be brief"),)
    (body,) = request_bodies("text-completion-codestral/codestral-latest chat True")
    assert FIM.read_ask(body).text == "Be brief hi nonce"


def test_a_whole_reply_has_its_text_in_the_choice():
    """Codestral's has a message there, as chats do."""
    (piece,) = FORMAT.write_answer(Answer("hi"), model="m", stream=False)
    body = json.loads(piece.data)
    assert (body["object"], body["choices"][0]["text"]) == ("text_completion", "hi")
    assert FORMAT.read_reply(200, piece.data).finish is Finish.STOP
    (piece,) = FIM.write_answer(Answer("hi"), model="m", stream=False)
    assert json.loads(piece.data)["choices"][0]["message"]["content"] == "hi"


def test_a_call_becomes_text():
    """There is no other place for it."""
    (piece,) = FORMAT.write_answer(Answer(tool_calls=(CALL,)), model="m", stream=False)
    assert CALL.name in json.loads(piece.data)["choices"][0]["text"]


@pytest.mark.parametrize(
    ("data", "defect"),
    [
        (b'{"error": {"message": "no"}}', Defect.WRONG_SHAPE),
        (b"data: {nothing\n\ndata: [DONE]\n\n", Defect.EVENT_NOT_JSON),
        (b'data: {"choices": [{"index": 0, "text": "a"}]}', Defect.TRUNCATED_EVENT),
        (b'data: {"id": "a", "choices": [{"index": 0, "text": "a"}]}\n\n', Defect.NO_TERMINATOR),
        (b'data: {"id": "a", "choices": [5]}\n\n', Defect.WRONG_SHAPE),
    ],
)
def test_broken_streams_are_named(data, defect):
    """Whatever the reader of chats finds; an error in the place of a stream is an error."""
    reading = read_stream(FORMAT, data)
    assert defect in defects(reading)
    assert (reading.error is not None) is (b"error" in data)
