"""What an answer to a forced text tells of the parser."""

import json

import pytest

from chaos.lab.model_text import parsed
from chaos.protocol.conversation import ToolCall
from supervisor.probes.depths.forced import (
    CALLS,
    THOUGHTS,
    TOOL,
    call_request,
    has_own_thought,
    read_by,
    reads_call,
    reads_thought,
    thought_request,
)


def reply(**message):
    """A whole chat completion."""
    return {"choices": [{"message": message}]}


CALL = {"function": {"name": TOOL, "arguments": '{"a": "b"}'}}


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (reply(content=None, tool_calls=[CALL]), True),
        (reply(content=f"<tool_call>{TOOL}</tool_call>"), False),
        (reply(content=f"[{TOOL}(a='b')]", tool_calls=[]), False),
        (reply(content="I would rather not."), None),
        (reply(content=None, tool_calls=[{"function": {"name": "other"}}]), None),
        (reply(content=None, tool_calls=["?"]), None),
        ({"error": {"message": "no"}}, None),
        ({"choices": []}, None),
        (None, None),
        ("text", None),
    ],
)
def test_a_call_is_read_left_or_not_there(answer, read):
    """Only the forced call counts: made, left in the text, or never written."""
    assert reads_call(answer) is read


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (reply(content="hello", reasoning="ab"), True),
        (reply(content="\n\nhello", reasoning_content="\nab\n"), True),
        (reply(content="<think>\nab\n</think>\n\nhello"), False),
        (reply(content=None, reasoning="<think>ab</think>hello"), False),
        (reply(content="something else"), None),
    ],
)
def test_a_thought_is_set_apart_left_or_not_there(answer, read):
    """Only a thought wholly apart from the answer is read."""
    assert reads_thought(answer) is read


@pytest.mark.parametrize(
    ("answer", "has"),
    [
        (reply(content="hello", reasoning="So I say hello."), True),
        (reply(content=None, reasoning="hello"), False),
        (reply(content="<think>So.</think>hello", reasoning=None), False),
        (None, False),
    ],
)
def test_a_thought_of_its_own_stands_apart_from_an_answer(answer, has):
    """A parser that takes all for a thought, or nothing, sets none apart."""
    assert has_own_thought(answer) is has


def test_formats_are_known_only_where_a_text_came():
    """No text at all means unknown; texts that nobody read mean none."""
    assert read_by([("a", None), ("b", None)]) is None
    assert read_by([("a", False), ("b", None)]) == ()
    assert read_by([("a", False), ("b", True)]) == ("b",)


@pytest.mark.parametrize("parser", ["hermes", "gemma4", "pythonic"])
def test_each_text_is_read_by_its_own_parser_alone(parser):
    """Of the texts, a parser reads the one of its format and no other."""
    read = [
        one.format
        for one in CALLS
        if parsed(one.text, tool_parser=parser, reasoning_parser=None, tools=True).tool_calls
    ]
    assert read == [parser]
    (text,) = [one.text for one in CALLS if one.format == parser]
    (call,) = parsed(text, tool_parser=parser, reasoning_parser=None, tools=True).tool_calls
    assert isinstance(call, ToolCall)
    assert (call.name, json.loads(call.arguments)) == (TOOL, {"a": "b"})


def test_requests_force_their_text():
    """The grammar of a request allows its text alone; only one for a call offers a tool."""
    for one in CALLS:
        assert call_request("g", one)["structured_outputs"] == {"choice": [one.text]}
        assert call_request("g", one)["tools"]
    for one in THOUGHTS:
        assert "tools" not in thought_request("g", one)
