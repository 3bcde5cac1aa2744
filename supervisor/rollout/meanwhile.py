"""Who serves while the engine does not: asked of the gateway by drills in which it fails.

Every group with the engine in its chain is looked at: drills make it fail, and the hops before
it, by a connection that breaks, which is what a stopped engine is to a gateway. What is behind it
has to serve, tool calls included. A chain that ends with it has nobody there.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chaos.drill.report import DrillReport, DrillRow
from chaos.errors import UsageError
from chaos.gateway.topology import Topology
from chaos.gateway.wildcards import STAR
from chaos.registry import lookup

FAULT = "connection_reset"
SHAPES = ("chat", "tool_call")
SURFACE = "chat_completions"


class Cover(StrEnum):
    """What users of one group have while the engine is away."""

    PROVEN = "proven"
    """Another hop serves; the drills have shown it."""

    ROUTED = "routed"
    """The gateway goes on to another hop; a stand-in answered, so that hop itself is not shown."""

    PRIMARY = "primary"
    """Hops before the engine serve; should they fail, nobody does."""

    NOBODY = "nobody"
    """Nobody: they are without an answer until an engine serves again."""

    UNKNOWN = "unknown"
    """No drill could tell."""


@dataclass(frozen=True, slots=True)
class GroupCover:
    """One model group, and who serves it meanwhile.

    Attributes:
        by: The hop that serves; None where there is none.
        why: What the drills found, or why there were none.
        first: The engine is the first hop, so that its users feel a swap at once.
    """

    group: str
    chain: tuple[str, ...]
    cover: Cover
    by: str | None
    why: str
    first: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """Drills of one depth: these groups have the engine at the same place of their chains."""

    groups: tuple[str, ...]
    depth: int


Drill = Callable[[Question], Awaitable[DrillReport]]
"""Runs the drills of a question, with ``FAULT``, ``SHAPES`` and ``SURFACE``, in both ways."""


async def who_serves(topology: Topology, engine: str, drill: Drill) -> tuple[GroupCover, ...]:
    """Ask who serves each group that may need the engine.

    Raises:
        UsageError: The gateway has no such group.
    """
    lookup("model group of this gateway", engine, {**topology.groups, **topology.other_names})
    chains = {name: chain_of(topology, name, engine) for name in groups_of(topology, engine)}
    asked = questions(chains, engine)
    rows: list[DrillRow] = []
    failed: dict[str, str] = {}
    for question in asked:
        try:
            rows += (await drill(question)).drills
        except UsageError as error:
            failed |= dict.fromkeys(question.groups, error.message)
    return tuple(
        judge(name, chain, engine, [row for row in rows if row.scenario.group == name])
        if name not in failed
        else GroupCover(name, chain, Cover.UNKNOWN, None, failed[name], chain[0] == engine)
        for name, chain in chains.items()
    )


def groups_of(topology: Topology, engine: str) -> tuple[str, ...]:
    """Name the groups with the engine in their chain, the engine's own first."""
    names = [
        name
        for name in (*topology.groups, *topology.other_names)
        if STAR not in name and engine in chain_of(topology, name, engine)
    ]
    return tuple(sorted(dict.fromkeys(names), key=lambda name: name != engine))


def chain_of(topology: Topology, name: str, engine: str) -> tuple[str, ...]:
    """Name the hops behind a name; that of an alias of the engine begins with the engine."""
    hops = topology.chain(name).hops
    return (engine, *hops[1:]) if topology.aliases.get(name) == engine else hops


def questions(chains: dict[str, tuple[str, ...]], engine: str) -> tuple[Question, ...]:
    """Say what has to be drilled: nothing where the engine is the last hop."""
    by_depth: dict[int, list[str]] = {}
    for name, chain in chains.items():
        depth = chain.index(engine) + 1
        if depth < len(chain):
            by_depth.setdefault(depth, []).append(name)
    return tuple(Question(tuple(names), depth) for depth, names in sorted(by_depth.items()))


def judge(group: str, chain: tuple[str, ...], engine: str, rows: Sequence[DrillRow]) -> GroupCover:
    """Say who serves one group, from the drills that were run of it. Pure."""
    place = chain.index(engine)
    first = place == 0
    if place == len(chain) - 1:
        if place:
            why = f"{chain[0]} serves while it can; behind {engine} its chain has nobody"
            return GroupCover(group, chain, Cover.PRIMARY, chain[0], why, first)
        return GroupCover(group, chain, Cover.NOBODY, None, "it has no fallback", first)
    by = chain[place + 1]
    bad = [row for row in rows if row.outcome == "failed"]
    if bad:
        told = next((one.message for one in bad[0].findings if one.result == "failed"), "")
        why = f"{len(bad)} of {len(rows)} drills failed: {bad[0].kind} ({told})"
        worst = Cover.PRIMARY if place else Cover.NOBODY
        return GroupCover(group, chain, worst, chain[0] if place else None, why, first)
    if not rows or any(row.outcome != "passed" for row in rows):
        reasons = sorted({str(row.kind) for row in rows if row.outcome != "passed"})
        why = f"not proven: {', '.join(reasons) or 'no drill was run'}"
        return GroupCover(group, chain, Cover.UNKNOWN, by, why, first)
    missing = [shape for shape in SHAPES if all(row.scenario.shape != shape for row in rows)]
    if missing:
        why = f"not proven: no drill of {' and '.join(missing)} was run"
        return GroupCover(group, chain, Cover.UNKNOWN, by, why, first)
    why = f"{len(rows)} drills passed, tool calls included"
    if all(row.reply.proof == "real" for row in rows):
        return GroupCover(group, chain, Cover.PROVEN, by, why, first)
    why += "; a stand-in answered for it, so its key and its money were not tried"
    return GroupCover(group, chain, Cover.ROUTED, by, why, first)


def needs_acceptance(covers: Sequence[GroupCover]) -> tuple[GroupCover, ...]:
    """List the groups whose users would be without an answer, or may be for all that is known."""
    return tuple(
        one
        for one in covers
        if one.cover is Cover.NOBODY or (one.cover in (Cover.UNKNOWN, Cover.ROUTED) and one.first)
    )
