"""A chain as it stands: its hops in their order, and the ledger of its paths. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chaos.gateway.topology import Topology, Trigger
from chaos.scenario.scenario import NO_HOP, FallbackPath
from supervisor.age import ago
from supervisor.coverage.ledger import PathState
from supervisor.status import PathStatus

MARKS: Mapping[PathState, str] = {
    PathState.PROVEN: "✓",
    PathState.PARTLY_PROVEN: "◐",
    PathState.ROUTED: "⇢",
    PathState.LATE: "◷",
    PathState.STALE: "⌛",
    PathState.NEVER_PROVEN: "?",
    PathState.GAP: "○",
    PathState.ACCEPTED: "○",
    PathState.FAILED: "✗",
}
"""Beside the colour, which not everybody sees."""

TONES: Mapping[PathState, str] = {
    PathState.PROVEN: "good",
    PathState.PARTLY_PROVEN: "good",
    PathState.ROUTED: "good",
    PathState.LATE: "warn",
    PathState.STALE: "warn",
    PathState.NEVER_PROVEN: "warn",
    PathState.GAP: "none",
    PathState.ACCEPTED: "none",
    PathState.FAILED: "bad",
}

WORDS = {state: state.value.replace("_", " ") for state in PathState}


@dataclass(frozen=True, slots=True)
class Cell:
    """One path in the ledger.

    Attributes:
        tone: ``good``, ``warn``, ``bad`` or ``none``.
        age: Of the last pass, or since when it is so.
        fault: The last that was tried.
        drill: The newest verdict's; None if none is known.
    """

    tone: str
    mark: str
    words: str
    age: str
    fault: str
    drill: str | None


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of a chain, with the worst of its paths; the primary has none.

    Attributes:
        tone: Empty for the primary.
    """

    name: str
    tone: str = ""
    mark: str = ""
    words: str = ""
    age: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One kind of request to one hop; a cell for each column of its chain, None for no path."""

    hop: str
    shape: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class ChainView:
    """A chain.

    Attributes:
        columns: Surface and streaming of the ledger's cells.
        summary: How many of its paths are proven.
    """

    group: str
    trigger: str
    hops: tuple[Hop, ...]
    columns: tuple[str, ...]
    rows: tuple[LedgerRow, ...]
    summary: str
    tone: str

    @property
    def aloud(self) -> str:
        """Say the map in a sentence."""
        steps = [
            f"{hop.name}: {hop.words}{', ' if hop.age else ''}{hop.age}"
            for hop in self.hops
            if hop.tone
        ]
        return f"{self.group} falls back to {'; then '.join(steps) or 'nothing'}"


def chains(
    paths: Mapping[FallbackPath, PathStatus], topology: Topology | None, now: datetime
) -> list[ChainView]:
    """Show every chain that is rehearsed, the worst first."""
    by_chain: dict[tuple[str, Trigger], dict[FallbackPath, PathStatus]] = {}
    for path, status in paths.items():
        by_chain.setdefault((path.group, path.trigger), {})[path] = status
    views = [
        _chain(group, trigger, held, _order(topology, group, trigger), now)
        for (group, trigger), held in by_chain.items()
    ]
    worst = {"bad": 0, "warn": 1}
    return sorted(views, key=lambda view: worst.get(view.tone, 2))


def _order(topology: Topology | None, group: str, trigger: Trigger) -> tuple[str, ...]:
    if topology is None:
        return ()
    return topology.chain(group, trigger).hops


def _chain(
    group: str,
    trigger: Trigger,
    paths: Mapping[FallbackPath, PathStatus],
    order: tuple[str, ...],
    now: datetime,
) -> ChainView:
    known = dict.fromkeys((*order[1:], *(path.hop for path in paths)))
    known.pop(NO_HOP, None)
    names = (*known, *((NO_HOP,) if any(path.hop == NO_HOP for path in paths) else ()))
    hops = [Hop(group)]
    for name in names:
        own = [one for path, one in paths.items() if path.hop == name]
        hops.append(_hop(name, own, now))
    columns = tuple(dict.fromkeys((path.surface, path.stream) for path in paths))
    rows = dict.fromkeys((path.hop, path.shape) for path in paths)
    by_place = {(p.hop, p.shape, p.surface, p.stream): one for p, one in paths.items()}
    states = [one.record.state for one in paths.values()]
    good = sum(TONES[state] == "good" for state in states)
    worst = min(states, key=tuple(PathState).index)
    return ChainView(
        group=group,
        trigger="" if trigger is Trigger.GENERAL else trigger.value.replace("_", " "),
        hops=tuple(hops),
        columns=tuple(f"{surface}, {'stream' if s else 'whole'}" for surface, s in columns),
        rows=tuple(
            LedgerRow(
                hop_name(hop),
                shape,
                tuple(
                    _cell(found, now) if (found := by_place.get((hop, shape, *column))) else None
                    for column in columns
                ),
            )
            for hop, shape in rows
        ),
        summary=f"{good} of {len(states)} proven",
        tone=TONES[worst],
    )


def _hop(name: str, paths: Iterable[PathStatus], now: datetime) -> Hop:
    cells = sorted(paths, key=lambda one: tuple(PathState).index(one.record.state))
    if not cells:
        return Hop(name, "none", "?", "not rehearsed", "", "")
    worst = _cell(cells[0], now)
    return Hop(hop_name(name), worst.tone, worst.mark, worst.words, worst.age, worst.fault)


def hop_name(hop: str) -> str:
    """Write a hop for people."""
    return "nothing is left" if hop == NO_HOP else hop


def _cell(one: PathStatus, now: datetime) -> Cell:
    record, newest = one.record, next(iter(one.verdicts), None)
    at = record.passed_at if TONES[record.state] == "good" else record.since
    return Cell(
        tone=TONES[record.state],
        mark=MARKS[record.state],
        words=(one.kind or WORDS[record.state]).replace("_", " "),
        age=ago(at, now, units=1),
        fault=newest.fault if newest else "",
        drill=newest.drill if newest else None,
    )
