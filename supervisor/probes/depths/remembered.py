"""What tells an engine from another one, as JSON, so that it outlives the daemon. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from supervisor.engine.capacity import Capacity
from supervisor.engine.facts import EngineFacts

PLAIN = (
    "root",
    "version",
    "fingerprint",
    "started_at_s",
    "has_tool_parser",
    "auto_tools",
    "has_reasoning_parser",
)
LISTS = ("names", "tool_formats", "reasoning_formats")


def as_json(facts: EngineFacts) -> dict[str, Any]:
    """Write down what drift is judged by."""
    lists = {name: getattr(facts, name) for name in LISTS}
    return {
        **{name: getattr(facts, name) for name in PLAIN},
        **{name: None if value is None else list(value) for name, value in lists.items()},
        "max_model_len": dict(facts.max_model_len),
        "kv_cache_tokens": facts.capacity.kv_cache_tokens,
    }


def from_json(known: Any, group: str = "", url: str = "") -> EngineFacts | None:
    """Read it back; None if it is not what ``as_json`` wrote."""
    if not isinstance(known, Mapping):
        return None
    try:
        lists: dict[str, Any] = {
            name: None if known[name] is None else tuple(known[name]) for name in LISTS
        }
        return EngineFacts(
            group,
            url,
            **{name: known[name] for name in PLAIN},
            **lists,
            max_model_len=dict(known["max_model_len"]),
            capacity=Capacity(kv_cache_tokens=known["kv_cache_tokens"]),
        )
    except (KeyError, TypeError, ValueError):
        return None  # Of another version: the next look is the first.


def merged(before: EngineFacts | None, now: EngineFacts) -> EngineFacts:
    """Add to *now* what only an earlier look at the same start of the engine has asked."""
    if before is None or before.started_at_s != now.started_at_s or now.started_at_s is None:
        return now
    asked = ("fingerprint", "auto_tools", "has_reasoning_parser", "tool_formats")
    learnt = {
        name: getattr(before, name)
        for name in (*asked, "reasoning_formats")
        if getattr(now, name) is None
    }
    return replace(now, **learnt)
