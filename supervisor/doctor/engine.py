"""Say how each local engine stands, what fits into it, and how it was started. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chaos.gateway.topology import Topology
from supervisor.audit.finding import Audited
from supervisor.audit.rules.engine_reach import engine_name_mismatch, engine_unreachable
from supervisor.audit.rules.engine_tools import engine_tool_calls_disabled
from supervisor.doctor.items import Item, fail, ok, warn
from supervisor.engine.capacity import described
from supervisor.engine.facts import EngineFacts
from supervisor.engine.flag_advice import command_line, flags_known
from supervisor.engine.log import EngineLog
from supervisor.probes.probe import State

AUDITS = (engine_unreachable, engine_name_mismatch, engine_tool_calls_disabled)
NOT_FLAGS = frozenset({"model_tag", "config", "subparser"})
"""vLLM lists them among its arguments: the first repeats ``model``."""


STATES = {
    State.DOWN: (fail, "Start it, or look into its log: a fallback to it fails now."),
    State.HUNG: (fail, "Restart it: a fallback to it hangs."),
    State.UNKNOWN: (warn, "Look at it, or drill it: only a request shows whether it works."),
    State.BUSY: (warn, "Drill it when its queue is empty; drills do not make users wait."),
    State.SLOW: (warn, "Look again in a while; a drill shows whether it is in time."),
}
"""What to make of a state. Drifted is left out: the names are told by their own finding."""


@dataclass(frozen=True, slots=True)
class Examined:
    """An engine as the check-up saw it.

    Attributes:
        state: How it stands by the probe; None if it was not probed.
        reason: Why.
    """

    facts: EngineFacts
    state: State | None = None
    reason: str = ""


def engine_items(topology: Topology, examined: Iterable[Examined]) -> Iterator[Item]:
    """Say what each local engine said, what is wrong with it, and what fits into it."""
    for looked in examined:
        one = looked.facts
        if looked.state in STATES:
            make, remedy = STATES[looked.state]
            yield make("engine_state", f"{_its(one)} is {looked.state}: {looked.reason}", remedy)
        audited = Audited(topology, engines=(one,))
        found = [finding for audit in AUDITS for finding in audit(audited)]
        for finding in found:
            make = warn if finding.severity == "info" else fail
            yield make("engine", finding.message, finding.remedy)
        if not found:
            yield ok("engine", _told(one))
        yield from _capacity(one)
        yield from _inside(one)


def _told(facts: EngineFacts) -> str:
    parts = [f"the engine of {facts.group!r} at {facts.url} answers"]
    if facts.names is not None:
        lengths = facts.max_model_len
        shown = [f"{n} ({lengths[n]:,} tokens)" if n in lengths else n for n in facts.names]
        parts.append(f"serves {', '.join(shown) or 'nothing'}")
    if facts.has_tool_parser is not None:
        taken = " and takes requests with tools" if facts.auto_tools else ""
        parts.append(f"has a tool-call parser{taken}")
    return ", ".join(parts)


def _capacity(facts: EngineFacts) -> Iterator[Item]:
    """Nothing is said where only the context length is known: that is said already."""
    capacity = facts.capacity
    if {*capacity.sources} - {"max_model_len"}:
        yield ok("engine_capacity", f"{_its(facts)}: {described(capacity)}")
    if capacity.disagreements:
        yield warn(
            "engine_capacity",
            f"{_its(facts)}: {'; '.join(capacity.disagreements)}",
            "Look whether the log is that of the engine that answers; the engine counts.",
        )


def _inside(facts: EngineFacts) -> Iterator[Item]:
    if facts.inside is None:
        return
    log = facts.inside.log
    if log is not None and log.flags is not None:
        flags = ((name, v) for name, v in log.flags.items() if name not in NOT_FLAGS)
        stale = "" if flags_known(facts) else ", of another start than the one that answers"
        yield ok("engine_flags", f"{_its(facts)}, by its log{stale}: {command_line(flags)}")
    if log is not None:
        yield from _oddities(facts, log)
    parsers = facts.inside.parsers
    if parsers is not None and parsers.tool:
        which = f"vLLM {parsers.version}" if parsers.version else "its vLLM"
        yield ok(
            "engine_parsers",
            f"{_its(facts)}: {which} in {parsers.where} offers {len(parsers.tool)} tool-call and "
            f"{len(parsers.reasoning)} reasoning parsers",
        )
    for note in facts.inside.notes:
        yield warn("engine_inside", f"{_its(facts)}: {note.message}", note.remedy)


def _oddities(facts: EngineFacts, log: EngineLog) -> Iterator[Item]:
    """Tell what vLLM decided by itself, and people seldom read."""
    if log.shortened_from is not None and log.max_model_len is not None:
        yield warn(
            "engine_context",
            f"{_its(facts)}: vLLM cut the context from {log.shortened_from:,} to "
            f"{log.max_model_len:,} tokens, because the KV cache holds no more",
            "Give it more memory (--gpu-memory-utilization) or a smaller KV cache "
            "(--kv-cache-dtype fp8), or expect no more than that.",
        )
    if log.fp4_weight_only:
        yield warn(
            "engine_kernels",
            f"{_its(facts)}: this GPU computes no FP4; the weights are unpacked by Marlin, which "
            "is slower under load",
            "Take a checkpoint in another format, or live with it.",
        )
    if log.sampling is not None:
        yield ok(
            "engine_sampling",
            f"{_its(facts)}: the model's own files change the sampling parameters to "
            f"{log.sampling}; --generation-config vllm prevents it",
        )


def _its(facts: EngineFacts) -> str:
    return f"engine of {facts.group!r}"
