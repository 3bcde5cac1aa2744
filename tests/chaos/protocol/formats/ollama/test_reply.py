"""Ollama's replies, read strictly."""

import json
from typing import Any

import pytest

from chaos.protocol.conversation import Finish
from chaos.protocol.formats.ollama.chat import OllamaChat
from chaos.protocol.formats.ollama.generate import OllamaGenerate
from chaos.protocol.formats.ollama.reply import call_in, read_ollama_error, read_ollama_reply
from chaos.protocol.reading import Defect
from tests.fakes.streams import defects, read_stream

CHAT, GENERATE = OllamaChat(), OllamaGenerate()
CALL = {"function": {"name": "get_weather", "arguments": {"city": "Rome"}}}


def said(content="", *, done=False, **more):
    """Make one object of a chat."""
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    return {"model": "llama3.2", "message": message, "done": done, **more}


def lines(*objects):
    """Write *objects* as a stream."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def read(body, field="message"):
    """Read *body* as a reply of status 200."""
    return read_ollama_reply(field, 200, json.dumps(body).encode())


END = said(done=True, done_reason="stop", prompt_eval_count=2050, eval_count=6)


def test_lines_add_up():
    """Text of all lines is one text, thoughts are reasoning, and usage comes at the end."""
    thought = said(message={"thinking": "hm"})
    reading = read_stream(CHAT, lines(thought, said("hel"), said("lo"), END))
    assert (reading.text, reading.reasoning, reading.finish) == ("hello", "hm", Finish.STOP)
    assert (reading.ended, reading.defects, reading.models) == (True, (), ("llama3.2",))
    assert reading.usage is not None
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (2050, 6)


def test_a_stop_after_a_call_is_the_call():
    """Ollama says stop for a tool call too, and gives it no id."""
    reading = read_stream(CHAT, lines(said(message={"tool_calls": [CALL]}), END))
    (call,) = reading.tool_calls
    assert (call.id, call.name, call.arguments) == (None, "get_weather", '{"city":"Rome"}')
    assert reading.finish is Finish.TOOL_CALLS


@pytest.mark.parametrize(
    ("reason", "finish"), [("length", Finish.LENGTH), ("load", Finish.OTHER), (None, Finish.STOP)]
)
def test_reasons_to_stop_are_translated(reason, finish):
    """Ollama's words for the end become ours; older servers name none."""
    assert read(said("x", done=True, done_reason=reason)).finish is finish


def test_an_error_may_come_as_a_line():
    """A runner that dies in the middle is told inside a reply of status 200."""
    reading = read_stream(CHAT, lines(said("hel"), {"error": "an error was encountered"}))
    assert reading.error is not None
    assert (reading.error.message, reading.error.in_band) == ("an error was encountered", True)
    assert (reading.text, reading.ended) == ("hel", False)


def test_an_error_in_another_envelope_is_not_well_formed():
    """What a proxy answers in Ollama's place."""
    assert read_ollama_error(404, {"error": "model 'x' not found"}).well_formed
    others: list[Any] = [{"error": {"message": "no"}}, "<html>", None, []]
    for body in others:
        assert not read_ollama_error(502, body).well_formed


@pytest.mark.parametrize(
    ("data", "defect"),
    [
        (lines(said("hi")), Defect.NO_FINISH),
        (lines(said("hi"), END)[:-1], Defect.TRUNCATED_EVENT),
        (lines(END, said("more")), Defect.AFTER_END),
        (lines(said("a"), {**said("b"), "model": "other"}, END), Defect.SECOND_START),
        (b"data: {}\n" + lines(END), Defect.EVENT_NOT_JSON),
        (b"[]\n" + lines(END), Defect.NOT_AN_OBJECT),
        (lines({"model": "m", "done": False}, END), Defect.NO_OUTPUT_FIELD),
        (lines({**said("a"), "done": "no"}, END), Defect.WRONG_SHAPE),
        (
            lines(said(message={"tool_calls": [{"function": {"name": "f"}}]}), END),
            Defect.WRONG_SHAPE,
        ),
    ],
)
def test_broken_streams_are_named(data, defect):
    """Each way in which a stream breaks its format has its defect."""
    assert defect in defects(read_stream(CHAT, data))


def test_a_whole_reply_that_is_not_done_has_no_end():
    """One line of a stream is no whole reply."""
    assert Defect.NO_FINISH in defects(read(said("hi")))


def test_the_call_in_a_single_prompts_answer_is_one():
    """LiteLLM tells the model to call by a JSON object, and reads it so."""
    told = '{"name": "f", "arguments": {"a": 1}}'
    reading = read({"model": "m", "response": told, "done": True}, "response")
    assert (reading.text, reading.finish) == ("", Finish.TOOL_CALLS)
    assert (reading.tool_calls[0].name, reading.tool_calls[0].arguments) == ("f", '{"a":1}')
    parts = [{"model": "m", "response": part, "done": False} for part in (told[:9], told[9:])]
    end = {"model": "m", "response": "", "done": True}
    assert read_stream(GENERATE, lines(*parts, end)).tool_calls == reading.tool_calls


@pytest.mark.parametrize(
    "words",
    [
        "hello",
        "{",
        '{"name": "f"}',
        '{"name": 1, "arguments": {}}',
        '{"name": "f", "arguments": 1}',
    ],
)
def test_other_texts_are_no_call(words):
    """Not every JSON is a call, and half of one is none."""
    assert call_in(words) is None
