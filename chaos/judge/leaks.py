"""Find what belongs elsewhere in a text: a call's wire form, reasoning, control tokens.

By form, not by model: engines write calls in dozens of ways, but all of them put the tool's name
beside brackets, tags or JSON.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from chaos.judge.json_value import same
from chaos.traffic.shape import ExpectedCall

_TOOL_MARKUP = re.compile(
    r"<[|｜/]?[^<>\n]{0,24}(?:tool|function)[^<>\n]{0,48}>"  # noqa: RUF001 -- models write it
    r"|<[|｜][^<>\n]{0,24}python_tag"  # noqa: RUF001
    r"|\[/?(?:AVAILABLE_)?TOOL_\w+\]",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"</?\s?(?:\w+:)?(?:think|thinking|thoughts?|reasoning|reflection|analysis)\b[^<>\n]{0,24}>"
    r"|◁/?think▷|\[/?THINK\]"
    r"|<[|｜][^<>|｜\n]{0,40}[|｜]?>"  # noqa: RUF001 -- <|channel>, <|im_end|>, <|"|>
    r"|<[A-Za-z_]{1,24}\|>"  # <channel|>
    r"|<(?:pad|unk|bos|eos|start_of_turn|end_of_turn)>"
)
_NEAR_CHARS = 60
_MOST_JSON_VALUES = 50


def leaked_call(text: str, calls: Iterable[ExpectedCall], *, prose: bool = False) -> str | None:
    """Say how one of *calls* stands in *text* instead of being made; None if none does.

    Args:
        prose: The text may well name the tool and speak of calling it (reasoning does), so
            that only a call's exact wire form counts.
    """
    for found in _json_objects(text):
        for call in calls:
            if _is_call(found, call):
                return f"the call of {call.name} as JSON"
    markup = call_markup(text)
    if markup is not None:
        return f"the markup {markup!r}"
    if prose:
        return None
    for call in calls:
        for place in re.finditer(re.escape(call.name), text):
            near = text[place.end() : place.end() + _NEAR_CHARS]
            if re.match(r"\W{0,3}\s?[({\[<]", near) and _mentions(text, call):
                return f"the call of {call.name} in a notation of its own"
    return None


def call_markup(text: str) -> str | None:
    """Find the tags in which engines write a call; None if there is none."""
    markup = _TOOL_MARKUP.search(text)
    return markup.group(0) if markup is not None else None


def stray_markup(text: str, asked: str) -> str | None:
    """Find a control token or a tag of reasoning in *text*; not what the prompt itself has."""
    return next((m.group(0) for m in _MARKUP.finditer(text) if m.group(0) not in asked), None)


def _json_objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    place, tried = text.find("{"), 0
    while place >= 0 and tried < _MOST_JSON_VALUES:
        tried += 1
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            if isinstance(value, dict):
                yield value
        place = text.find("{", end)


def _is_call(found: dict[str, Any], call: ExpectedCall) -> bool:
    if call.name in (found.get("name"), found.get("tool"), found.get("function")):
        return True
    wanted = dict(call.arguments)
    return bool(wanted) and all(
        key in found and same(value, found[key]) for key, value in wanted.items()
    )


def _mentions(text: str, call: ExpectedCall) -> bool:
    return any(str(value) in text for value in call.arguments.values() if value != "")
