"""The engine's answer is what its flags make of the model's text."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chaos.lab.engine_answer import THOUGHT, answer_of, as_vllm, fingerprint
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.protocol.conversation import Answer, Ask, Finish, ResponseSchema, ToolSpec, Turn
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats import WIRE_FORMATS

NONCE = "0badcafe"
TOOL = ToolSpec(
    "get_weather",
    "Tell the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CHAT = Ask(turns=(Turn("user", f"Say {NONCE}."),))
TOOLS = Ask(turns=(Turn("user", f"Call get_weather for the city {NONCE}."),), tools=(TOOL,))
GOOD = EngineFlags()


def test_a_healthy_engine_calls_the_tool():
    """With the right parsers the call is a call and the thought a thought."""
    answer = answer_of(GOOD, TOOLS, {})
    assert [call.name for call in answer.tool_calls] == ["get_weather"]
    assert answer.finish is Finish.TOOL_CALLS
    assert (answer.text, answer.reasoning) == ("", THOUGHT)


@pytest.mark.parametrize("stream", [False, True])
def test_the_wrong_parser_leaks_the_call(stream: bool):
    """Another model's parser leaves the call in the text, finish ``stop``, no error."""
    answer = answer_of(replace(GOOD, tool_call_parser="hermes"), TOOLS, {"stream": stream})
    assert answer.text.startswith("<|tool_call>call:get_weather{")
    assert answer.tool_calls == ()
    assert answer.finish is Finish.STOP


def test_a_constraining_parser_gets_forced_calls_from_any_model():
    """A required call is forced into the parser's format, so the wrong parser does not show."""
    ask = replace(TOOLS, tool_choice="required")
    assert answer_of(replace(GOOD, tool_call_parser="hermes"), ask, {}).tool_calls


@pytest.mark.parametrize(("stream", "finish"), [(False, Finish.TOOL_CALLS), (True, Finish.STOP)])
def test_gemma4_constrains_nothing_and_lies_about_it(stream: bool, finish: Finish):
    """A required call that never came is claimed in a whole reply, and not in a stream."""
    ask = replace(TOOLS, tool_choice="required")
    hermes_model = replace(GOOD, model_format=ModelFormat.HERMES)
    answer = answer_of(hermes_model, ask, {"stream": stream})
    assert answer.tool_calls == ()
    assert answer.finish is finish


def test_without_a_reasoning_parser_the_thought_is_content():
    """The thought and its marker come before the answer, as text."""
    answer = answer_of(replace(GOOD, reasoning_parser=None), CHAT, {})
    assert answer.text.startswith(f"<|channel>thought\n{THOUGHT}")
    assert NONCE in answer.text
    assert answer.reasoning == ""


def test_a_grammar_leaves_no_room_for_thoughts():
    """Structured output stays clean without a reasoning parser: it rules from the first token."""
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    ask = replace(CHAT, response_schema=ResponseSchema("reply", schema))
    answer = answer_of(replace(GOOD, reasoning_parser=None), ask, {})
    assert THOUGHT not in answer.text


@pytest.mark.parametrize(
    ("flags", "body"),
    [
        (replace(GOOD, thinks=False), {}),
        (GOOD, {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)
def test_thinking_can_be_switched_off(flags: EngineFlags, body: dict[str, Any]):
    """A model that does not think, or is told not to, writes no thought."""
    assert answer_of(flags, CHAT, body).reasoning == ""


def test_too_small_a_budget_is_spent_in_thought():
    """Few tokens end in the middle of the thought: no content, finish ``length``."""
    answer = answer_of(GOOD, replace(CHAT, max_tokens=10), {})
    assert (answer.text, answer.finish, answer.output_tokens) == ("", Finish.LENGTH, 10)
    assert THOUGHT.startswith(answer.reasoning)


def test_the_fingerprint_covers_the_model_and_no_parser():
    """Parser flags leave the fingerprint alone; another model or context changes it."""
    assert fingerprint(replace(GOOD, tool_call_parser="hermes")) == fingerprint(GOOD)
    assert fingerprint(replace(GOOD, max_model_len=1)) != fingerprint(GOOD)
    assert fingerprint(replace(GOOD, model="other")) != fingerprint(GOOD)


def events(pieces: tuple[Piece, ...]) -> list[dict[str, Any]]:
    """Read the JSON of each piece but the closing one."""
    texts = [piece.data.removeprefix(b"data: ").strip() for piece in pieces]
    return [json.loads(text) for text in texts if text != b"[DONE]"]


def marked(body: dict[str, Any], flags: EngineFlags = GOOD) -> tuple[Piece, ...]:
    """Write an answer of eight reasoning tokens as vLLM would."""
    stream = bool(body.get("stream"))
    answer = Answer(text="It is sunny today.", reasoning="x" * 32)
    written = WIRE_FORMATS["chat_completions"].write_answer(answer, model="m", stream=stream)
    return as_vllm(written, flags, answer, body)


def test_every_event_carries_the_fingerprint_and_the_end_is_kept():
    """Whole replies and every chunk name the engine; the stream still ends with its terminator."""
    streamed = marked({"stream": True})
    for pieces in (marked({}), streamed):
        assert {event["system_fingerprint"] for event in events(pieces)} == {fingerprint(GOOD)}
    assert streamed[-1] == Piece(PieceKind.END, b"data: [DONE]\n\n")


def test_a_stream_tells_usage_only_when_asked():
    """Without ``include_usage`` no chunk has usage; whole replies always have it."""
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    assert not any("usage" in event for event in events(marked({"stream": True})))
    assert sum("usage" in event for event in events(marked(asked))) == 1
    assert "usage" in events(marked({}))[0]


def test_reasoning_tokens_are_told_only_with_a_reasoning_parser():
    """The details of usage are null without the parser, which tells it from outside."""
    parser, none = (
        events(marked({}, flags))[0]["usage"]["completion_tokens_details"]
        for flags in (GOOD, replace(GOOD, reasoning_parser=None))
    )
    assert (parser, none) == ({"reasoning_tokens": 8}, None)


def test_a_parser_can_hand_bare_values_on_as_strings():
    """Numbers and truth values become text, in lists and objects too; text stays as it is."""
    told = 'Call get_weather with {"city": "Oslo", "days": 3, "more": [true, {"n": 1}]}.'
    ask = replace(TOOLS, turns=(Turn("user", told),))
    (call,) = answer_of(replace(GOOD, bare_arguments="strings"), ask, {}).tool_calls
    assert json.loads(call.arguments) == {
        "city": "Oslo",
        "days": "3",
        "more": ["true", {"n": "1"}],
    }
    (typed,) = answer_of(GOOD, ask, {}).tool_calls
    assert json.loads(typed.arguments)["days"] == 3
