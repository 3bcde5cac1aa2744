"""Which flags an engine needs, in the words of its own command line. Pure.

Chosen from the parsers that its own package offers, where the settings say how to ask it; else
the advice says how to find them.
"""

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from supervisor.engine.facts import EngineFacts
from supervisor.engine.package import fitting

MOST_LISTED = 8


def models_of(facts: EngineFacts) -> tuple[str, ...]:
    """Name the model, most trustworthy first: checkpoint, architecture, what it is served as."""
    log = facts.inside.log if facts.inside else None
    named = (facts.root, log.architecture if log else None, *(facts.names or ()), *facts.asked_for)
    return tuple(dict.fromkeys(name for name in named if name))


def started_with(facts: EngineFacts, flag: str) -> Any:
    """Get the value of a flag from the log; None where it was not given, or nobody knows."""
    log = facts.inside.log if facts.inside else None
    return (log.flags or {}).get(flag) if log else None


def flags_known(facts: EngineFacts) -> bool:
    """Tell whether the log shows the flags, and of the engine that answers.

    A log that names a tool-call parser where the metrics show none is another start's.
    """
    log = facts.inside.log if facts.inside else None
    if log is None or log.flags is None:
        return False
    return facts.has_tool_parser is None or facts.has_tool_parser == (
        "tool_call_parser" in log.flags
    )


def tool_flags(facts: EngineFacts) -> str:
    """Say what to add to vLLM's command line so that it reads its model's tool calls."""
    parsers = facts.inside.parsers if facts.inside else None
    if parsers is None or not parsers.tool:
        return "\n".join(
            [
                "Start vLLM with the parser of its model:",
                "--enable-auto-tool-choice --tool-call-parser NAME",
                *_how_to_find(facts),
            ]
        )
    models = models_of(facts)
    tool = fitting(parsers.tool, models)
    reasoning = () if _reads_reasoning(facts) else fitting(parsers.reasoning, models)
    if not tool:
        return "\n".join(
            [
                "Start vLLM with the parser of its model:",
                "--enable-auto-tool-choice --tool-call-parser NAME",
                _none_named(len(parsers.tool), models),
                *_how_to_find(facts, parsers.tool),
            ]
        )
    if len(tool) > 1:
        return "\n".join(
            [
                "Start vLLM with one of these, as the model's own page says:",
                *(_line(name, reasoning) for name in tool),
            ]
        )
    return "\n".join(["Start vLLM with:", _line(tool[0], reasoning)])


def reasoning_flag(facts: EngineFacts) -> str | None:
    """Name the reasoning parser that is missing; None where none is, or nobody can tell."""
    parsers = facts.inside.parsers if facts.inside else None
    if parsers is None or not flags_known(facts) or _reads_reasoning(facts):
        return None
    found = fitting(parsers.reasoning, models_of(facts))
    return f"--reasoning-parser {found[0]}" if len(found) == 1 else None


def odd_parser(facts: EngineFacts) -> tuple[str, str] | None:
    """Compare the tool-call parser with the one that is named after the model.

    Returns:
        The one it runs with and the other one; None where they are the same, or nobody knows.
    """
    parsers = facts.inside.parsers if facts.inside else None
    active = started_with(facts, "tool_call_parser")
    if parsers is None or not flags_known(facts) or not isinstance(active, str):
        return None
    found = fitting(parsers.tool, models_of(facts))
    if len(found) != 1 or parsers.same(active, found[0]):
        return None
    return active, found[0]


def name_flag(facts: EngineFacts) -> str:
    """Write the flag by which it answers to what it is asked for, and to its other names still.

    A name that is only its checkpoint's path is what vLLM takes when nobody names any.
    """
    kept = (name for name in facts.names or () if name != facts.root)
    names = dict.fromkeys((*facts.asked_for, *kept))
    return f"--served-model-name {' '.join(map(shlex.quote, names))}"


def longer_context(facts: Iterable[EngineFacts], wanted: int) -> str:
    """Say how an engine can take more tokens, as far as its KV cache is known.

    Whether the model itself can is vLLM's to say: it refuses to start where it cannot.
    """
    known = [f.capacity.kv_cache_tokens for f in facts if f.capacity.kv_cache_tokens is not None]
    held = min(known, default=None)
    if held is None:
        return f"Start vLLM with --max-model-len {wanted} if its memory and model allow it."
    if held >= wanted:
        return (
            f"Start the engine with --max-model-len {wanted}: its KV cache holds {held:,} tokens."
        )
    return (
        f"The engine's KV cache holds {held:,} tokens: --max-model-len {held} is the most, unless "
        "it gets more memory (--gpu-memory-utilization) or a smaller KV cache "
        "(--kv-cache-dtype fp8)."
    )


def command_line(flags: Iterable[tuple[str, Any]]) -> str:
    """Write flags as vLLM's command line takes them."""
    words = []
    for name, value in flags:
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is False:
            words.append(flag.replace("--", "--no-", 1))
        elif isinstance(value, list | tuple):
            words.append(f"{flag} {' '.join(shlex.quote(str(one)) for one in value)}")
        else:
            words.append(f"{flag} {shlex.quote(str(value))}")
    return " ".join(words)


def _reads_reasoning(facts: EngineFacts) -> bool:
    return flags_known(facts) and bool(started_with(facts, "reasoning_parser"))


def _line(tool: str, reasoning: Sequence[str]) -> str:
    """Write the flags; which of several reasoning parsers is right nobody can tell."""
    more = f" --reasoning-parser {reasoning[0]}" if len(reasoning) == 1 else ""
    return f"--enable-auto-tool-choice --tool-call-parser {tool}{more}"


def _none_named(count: int, models: Sequence[str]) -> str:
    model = models[0] if models else "the model"
    return f"None of the {count} on offer is named after {model}; the model's own page names it."


def _how_to_find(facts: EngineFacts, offered: Sequence[str] = ()) -> list[str]:
    inside = facts.inside
    container = inside.container if inside else None
    where = f"docker exec {shlex.quote(container)} " if container else ""
    lines = [f"Some: {', '.join(offered[:MOST_LISTED])}"] if offered else []
    lines.append(f"All that it offers: {where}vllm serve --help=tool-call-parser")
    if inside is not None and inside.parsers is not None and inside.parsers.problem:
        lines.append(f"They could not be listed here: {inside.parsers.problem}")
    if not offered and (inside is None or inside.parsers is None):
        lines.append(
            f"To have it chosen here, name its Python or container below engines.{facts.group}"
        )
    return lines
