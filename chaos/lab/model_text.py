r"""The text that a model itself writes, and what vLLM's parsers make of it.

A model has one format for tool calls and thoughts; the parser is a flag of the server. Where
the two disagree nothing fails: the call stays in the text. That is the whole point.

    gemma4    <|channel>thought\nT<channel|>A<|tool_call>call:f{city:<|"|>Oslo<|"|>}<tool_call|>
    hermes    <think>\nT\n</think>\n\nA<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>
    pythonic  <think>\nT\n</think>\n\n[f(city='Oslo')]

Source: vLLM 0.32.0, raw replies.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from chaos.protocol.conversation import Answer, ToolCall

QUOTE = '<|"|>'
BARE = re.compile(r"[^,\]}]+")
HERMES_CALL = re.compile(r"<tool_call>(.*?)</tool_call>|<tool_call>(.*)$", re.DOTALL)
GEMMA4_CALL = re.compile(r"<\|tool_call>call:([^{]+)(\{.*?\})<tool_call\|>", re.DOTALL)


class ModelFormat(StrEnum):
    """How a model writes its tool calls."""

    GEMMA4 = "gemma4"
    HERMES = "hermes"
    PYTHONIC = "pythonic"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A model's text after the server's parsers."""

    content: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


# --- what the model writes -------------------------------------------------------------


def written(
    answer: Answer, model_format: ModelFormat, *, calls_in: ModelFormat | None = None
) -> str:
    """Write *answer* as a model of *model_format* would.

    Args:
        calls_in: The format that the server forces on tool calls, if it does.
    """
    thought = _thought(answer.reasoning, model_format)
    return thought + answer.text + _calls(answer, calls_in or model_format)


def _thought(reasoning: str, model_format: ModelFormat) -> str:
    if not reasoning:
        return ""
    if model_format is ModelFormat.GEMMA4:
        return f"<|channel>thought\n{reasoning}<channel|>"
    return f"<think>\n{reasoning}\n</think>\n\n"


def _calls(answer: Answer, model_format: ModelFormat) -> str:
    calls = [(call.name, json.loads(call.arguments)) for call in answer.tool_calls]
    if not calls:
        return ""
    if model_format is ModelFormat.GEMMA4:
        return "".join(
            f"<|tool_call>call:{name}{_gemma4_value(arguments)}<tool_call|>"
            for name, arguments in calls
        )
    if model_format is ModelFormat.HERMES:
        return "\n".join(
            "<tool_call>\n"
            + json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
            + "\n</tool_call>"
            for name, arguments in calls
        )
    written_calls = (
        f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        for name, arguments in calls
    )
    return f"[{', '.join(written_calls)}]"


def _gemma4_value(value: Any) -> str:
    if isinstance(value, str):
        return f"{QUOTE}{value}{QUOTE}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_gemma4_value(of)}" for key, of in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_gemma4_value, value)) + "]"
    return json.dumps(value)


# --- what the server reads -------------------------------------------------------------


def _hermes_calls(text: str) -> Parsed:
    calls = []
    for match in HERMES_CALL.finditer(text):
        try:
            call = json.loads(match[1] or match[2] or "")
            calls.append((call["name"], call["arguments"]))
        except (ValueError, KeyError, TypeError):
            # One malformed call, and the whole text is content.
            return Parsed(text)
    return Parsed(text.split("<tool_call>", 1)[0].strip(), tool_calls=_numbered(calls))


def _gemma4_calls(text: str) -> Parsed:
    calls = []
    for match in GEMMA4_CALL.finditer(text):
        try:
            calls.append((match[1].strip(), _Gemma4Reader(match[2]).value()))
        except ValueError:
            return Parsed(text)
    content = GEMMA4_CALL.sub("", text)
    # The parser takes the closing marker of a thought for its own, and the opening one not.
    return Parsed(content.replace("<channel|>", ""), tool_calls=_numbered(calls))


def _pythonic_calls(text: str) -> Parsed:
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith(")]")):
        return Parsed(text)
    try:
        read = ast.parse(stripped, mode="eval").body
        calls = [
            (call.func.id, {key.arg: ast.literal_eval(key.value) for key in call.keywords})
            for call in (read.elts if isinstance(read, ast.List) else [])
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        ]
    except (SyntaxError, ValueError):
        return Parsed(text)
    return Parsed("", tool_calls=_numbered(calls)) if calls else Parsed(text)


def _numbered(calls: Sequence[tuple[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(f"chatcmpl-tool-{number:016x}", name, json.dumps(arguments, ensure_ascii=False))
        for number, (name, arguments) in enumerate(calls)
    )


def _gemma4_thought(text: str) -> tuple[str, str]:
    before, closed, after = text.partition("<channel|>")
    opened = before.startswith("<|channel>")
    if not closed and not opened:
        return "", text
    # A missing opener is forgiven; what is never closed is all thought.
    return before.removeprefix("<|channel>").removeprefix("thought\n"), after


def _qwen3_thought(text: str) -> tuple[str, str]:
    before, closed, after = text.partition("</think>")
    if not closed and "<think>" not in before:
        return "", text
    return before.removeprefix("<think>").strip("\n"), after.lstrip("\n")


TOOL_PARSERS: Mapping[str, Callable[[str], Parsed]] = {
    "gemma4": _gemma4_calls,
    "hermes": _hermes_calls,
    "pythonic": _pythonic_calls,
}
REASONING_PARSERS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "gemma4": _gemma4_thought,
    "qwen3": _qwen3_thought,
}
CONSTRAINING = frozenset({"hermes", "pythonic"})
"""Parsers that force a required or named call into their own format while the model writes.

Source: vLLM 0.32.0, ``supports_required_and_named``; gemma4 constrains nothing.
"""


def parsed(
    text: str, *, tool_parser: str | None, reasoning_parser: str | None, tools: bool
) -> Parsed:
    """Read a model's *text* as a server with these parsers does.

    Args:
        tools: The request offers tools and allows to call them.
    """
    reasoning = ""
    if reasoning_parser is not None:
        reasoning, text = REASONING_PARSERS[reasoning_parser](text)
    if tool_parser is None:
        return Parsed(text, reasoning)
    if not tools:
        # Even then the gemma4 parser eats the marker.
        return Parsed(
            text.replace("<channel|>", "") if tool_parser == "gemma4" else text, reasoning
        )
    return replace(TOOL_PARSERS[tool_parser](text), reasoning=reasoning)


class _Gemma4Reader:
    """Reads one value of Gemma 4's notation; raises ValueError where there is none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self) -> Any:
        if self._takes(QUOTE):
            end = self._text.index(QUOTE, self._at)
            found = self._text[self._at : end]
            self._at = end + len(QUOTE)
            return found
        if self._takes("{"):
            return dict(self._until("}", self._pair))
        if self._takes("["):
            return self._until("]", self.value)
        match = BARE.match(self._text, self._at)
        if match is None:
            raise ValueError("a value is missing")
        self._at = match.end()
        try:
            return json.loads(match[0])
        except ValueError:
            # Bare text is a string, as vLLM has it.
            return match[0].strip()

    def _pair(self) -> tuple[str, Any]:
        end = self._text.index(":", self._at)
        key = self._text[self._at : end].strip()
        self._at = end + 1
        return key, self.value()

    def _until(self, end: str, item: Callable[[], Any]) -> list[Any]:
        items: list[Any] = []
        while not self._takes(end):
            if items and not self._takes(","):
                raise ValueError("a comma is missing")
            items.append(item())
        return items

    def _takes(self, token: str) -> bool:
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        return True
