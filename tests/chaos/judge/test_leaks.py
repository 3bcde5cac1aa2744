"""Tests of finding calls and markup in a text."""

import pytest

from chaos.judge.leaks import leaked_call, stray_markup
from chaos.traffic.shape import ExpectedCall

CALLS = (ExpectedCall("get_weather", {"city": "Paris", "days": 3}, {}),)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "get_weather", "arguments": {}}',
        'I do: {"city": "Paris", "days": 3}',
        "<tool_call>",
        "<|python_tag|>anything",
        "<｜tool▁calls▁begin｜>",  # noqa: RUF001 -- a model writes it so
        "[TOOL_CALLS]",
        "get_weather(city='Paris', days=3)",
        "call:get_weather{city:Paris}",
        "get_weather\n<arg_key>city</arg_key><arg_value>Paris</arg_value>",
    ],
)
def test_the_wire_form_of_a_call_is_found(text):
    """Whatever notation an engine's parser has missed."""
    assert leaked_call(text, CALLS) is not None


@pytest.mark.parametrize(
    "text",
    [
        "It will rain in Paris for 3 days.",
        "I would have asked get_weather about Paris.",
        "I cannot use get_weather now, sorry.",
        "get_weather (which I lack) is a tool.",
        '{"city": "Oslo", "days": 3}',
        "a < b, {not json}, f(x)",
        "",
    ],
)
def test_talk_is_no_call(text):
    """Neither an answer nor speaking of a tool is one."""
    assert leaked_call(text, CALLS) is None


def test_reasoning_may_plan_a_call_in_words():
    """In reasoning only the exact wire form counts."""
    assert leaked_call("So: get_weather(city='Paris').", CALLS, prose=True) is None
    assert leaked_call('<tool_call>{"name": "x"}', CALLS, prose=True) is not None


def test_markup_is_found_but_for_the_prompts_own():
    """A token of the engine has no place in a text, unless it was asked about."""
    assert stray_markup("a <think> b", "") == "<think>"
    assert stray_markup("a <think> b", "what is <think>?") is None
    assert stray_markup("<channel|>x", "") == "<channel|>"
    assert stray_markup("plain <b>text</b> a|b", "") is None


def test_a_text_full_of_brackets_takes_no_time():
    """A model that repeats itself does not hang the check."""
    assert leaked_call("{" * 20000, CALLS) is None
    assert stray_markup("<" * 20000, "") is None


def test_a_call_without_arguments_is_not_any_json():
    """An object in the text is a call only by name where nothing else is known of it."""
    bare = (ExpectedCall("ping", {}, {}),)
    assert leaked_call('{"city": "Oslo"}', bare) is None
    assert leaked_call('{"name": "ping"}', bare) is not None
