"""Right parser, tool call; wrong parser, text: as seen on a real vLLM."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.lab.model_text import TOOL_PARSERS, ModelFormat, Parsed, parsed, written
from chaos.protocol.conversation import Answer, ToolCall

WEATHER = Answer(tool_calls=(ToolCall("call_1", "get_weather", '{"city": "Paris"}'),))
GEMMA4_TEXT = '<|tool_call>call:get_weather{city:<|"|>Paris<|"|>}<tool_call|>'


def read(text: str, tool_parser: str | None, reasoning_parser: str | None = None) -> Parsed:
    """Read *text* of a request that offers tools."""
    return parsed(text, tool_parser=tool_parser, reasoning_parser=reasoning_parser, tools=True)


def test_gemma_writes_its_calls_as_seen():
    """The text of a Gemma 4 call is what a real one writes, byte for byte."""
    assert written(WEATHER, ModelFormat.GEMMA4) == GEMMA4_TEXT


@pytest.mark.parametrize("model_format", ModelFormat)
@pytest.mark.parametrize("tool_parser", [*TOOL_PARSERS, None])
def test_a_call_is_read_by_its_own_parser_and_leaks_through_any_other(
    model_format: ModelFormat, tool_parser: str | None
):
    """Exactly the parser that fits the model makes a tool call of it."""
    text = written(WEATHER, model_format)
    made = read(text, tool_parser)
    if tool_parser == model_format:
        assert [(call.name, call.arguments) for call in made.tool_calls] == [
            ("get_weather", '{"city": "Paris"}')
        ]
        assert made.content == ""
    else:
        assert made == Parsed(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text("abc 1:,[]{}ä", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc_", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc_", min_size=1, max_size=5), JSON_VALUES, max_size=4))
@pytest.mark.parametrize("model_format", ModelFormat)
def test_arguments_survive_their_own_format(model_format: ModelFormat, arguments: dict[str, Any]):
    """Whatever JSON the arguments hold, the fitting parser gives it back."""
    if model_format is ModelFormat.PYTHONIC:
        # Not every key is a name in Python, and a keyword is none.
        arguments = {f"key_{key}": value for key, value in arguments.items()}
    answer = Answer(tool_calls=(ToolCall("1", "f", json.dumps(arguments)),))
    made = read(written(answer, model_format), model_format.value)
    assert [json.loads(call.arguments) for call in made.tool_calls] == [arguments]


@pytest.mark.parametrize("model_format", ModelFormat)
def test_several_calls_are_several(model_format: ModelFormat):
    """Two calls stay two, with ids of their own."""
    two = Answer(tool_calls=(ToolCall("1", "one", '{"n": 1}'), ToolCall("2", "two", '{"n": 2}')))
    made = read(written(two, model_format), model_format.value)
    assert [call.name for call in made.tool_calls] == ["one", "two"]
    assert len({call.id for call in made.tool_calls}) == 2


def test_a_thought_leaks_where_nothing_reads_it():
    """Without a reasoning parser the gemma4 parser keeps the opening marker and eats the other."""
    thought = "<|channel>thought\nab<channel|>hello"
    assert read(thought, "gemma4").content == "<|channel>thought\nabhello"
    assert read(thought, "hermes").content == thought
    assert read(thought, None).content == thought


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("<|channel>thought\nab<channel|>hello", "ab", "hello"),
        ("thought\nab<channel|>hello", "ab", "hello"),
        ("<|channel>thought\nab ab", "ab ab", ""),
        ("hello", "", "hello"),
    ],
)
def test_gemma_thoughts_are_split_as_seen(text: str, reasoning: str, content: str):
    """A closed, an unopened, an unclosed and no thought are read as a real vLLM does."""
    made = read(text, "gemma4", "gemma4")
    assert (made.reasoning, made.content) == (reasoning, content)


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("<think>\nab\n</think>\n\nhello", "ab", "hello"),
        ("<think>\nab", "ab", ""),
        ("hello", "", "hello"),
    ],
)
def test_qwen_thoughts_are_split(text: str, reasoning: str, content: str):
    """A closed, an unclosed and no thought are told apart."""
    made = read(text, "hermes", "qwen3")
    assert (made.reasoning, made.content) == (reasoning, content)


@pytest.mark.parametrize(
    ("text", "tool_parser"),
    [
        ('<tool_call>\n{"name": "get_weather", "argum\n</tool_call>', "hermes"),
        ('<tool_call>{"name": "', "hermes"),
        ('<tool_call>["no object"]</tool_call>', "hermes"),
        ('<|tool_call>call:get_weather{city:<|"|>Par', "gemma4"),
        ("<|tool_call>call:get_weather{city}<tool_call|>", "gemma4"),
        ("[get_weather(city='Par')", "pythonic"),
        ("[get_weather(city=paris())]", "pythonic"),
    ],
)
def test_a_broken_call_is_text(text: str, tool_parser: str):
    """What the parser cannot read stays in the content, whole."""
    assert read(text, tool_parser) == Parsed(text)


def test_no_call_is_looked_for_where_none_was_offered():
    """A request without tools gets the text as it is, but for the marker that gemma4 eats."""
    made = parsed(GEMMA4_TEXT, tool_parser="gemma4", reasoning_parser=None, tools=False)
    assert made == Parsed(GEMMA4_TEXT)
