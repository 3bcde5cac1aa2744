"""A stream that ends in the middle of a tool call."""

import json

import pytest

from chaos.faults.kinds.tool_call_cut import ToolCallCut
from chaos.faults.script import Reset, Wait
from tests.fakes.scenes import ARGUMENTS, CALLS, TEXT, VOICES, body_of, read, scene

WHOLE = {"generate_content", "ollama_chat", "ollama_generate", "text_completions"}
"""Formats in which a call, or what becomes one, is read only when it has come whole."""

FRAGMENTED = [voice for voice in VOICES if voice[1] not in WHOLE]


@pytest.mark.parametrize("voice", FRAGMENTED)
def test_half_of_the_first_calls_arguments_come(voice):
    """The call has begun, its arguments are no JSON, and the second call never comes."""
    on_stage = scene(voice, CALLS)
    (call,) = read(on_stage, ToolCallCut().script(on_stage)).tool_calls
    assert call.name == "record_note"
    assert call.arguments
    assert ARGUMENTS.replace(" ", "").startswith(call.arguments.replace(" ", ""))
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.arguments)


@pytest.mark.parametrize("voice", [("gemini", "generate_content"), ("ollama", "ollama_chat")])
def test_a_call_in_one_event_is_cut_in_that_event(voice):
    """Gemini and Ollama never fragment a call: what is left is an event without its end."""
    on_stage = scene(voice, CALLS)
    body = body_of(ToolCallCut().script(on_stage))
    assert b"record_note" in body
    assert not body.endswith(b"\n")


@pytest.mark.parametrize(("variant", "last"), [(None, Wait), ("reset", Reset)])
def test_the_variant_breaks_the_connection(variant, last):
    """By default the end is clean."""
    assert isinstance(ToolCallCut().script(scene(answer=CALLS, variant=variant)).steps[-1], last)


def test_text_before_the_call_is_whole():
    """What the provider says before its call is not cut."""
    answer = type(CALLS)(text=TEXT.text, tool_calls=CALLS.tool_calls, finish=CALLS.finish)
    on_stage = scene(answer=answer)
    reading = read(on_stage, ToolCallCut().script(on_stage))
    assert reading.text == TEXT.text
    assert len(reading.tool_calls) == 1


def test_without_a_call_the_text_is_cut():
    """A provider that was never asked for a call still fails."""
    reading = read(scene(), ToolCallCut().script(scene()))
    assert reading.text
    assert reading.finish is None
