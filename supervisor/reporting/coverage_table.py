"""Draw the coverage for people: every path that is not proven, and the others by their chain."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chaos.gateway.topology import Trigger
from chaos.scenario.scenario import NO_HOP
from supervisor.age import ago
from supervisor.coverage.ledger import MEANINGS, PathState
from supervisor.web.answers.paths import CoverageAnswer, PathAnswer

STYLES = {
    PathState.FAILED: "bold red",
    PathState.NEVER_PROVEN: "magenta",
    PathState.STALE: "red",
    PathState.LATE: "yellow",
    PathState.GAP: "yellow",
    PathState.ACCEPTED: "yellow",
    PathState.ROUTED: "cyan",
    PathState.PARTLY_PROVEN: "cyan",
    PathState.PROVEN: "green",
}
FOLD_OVER = 40
"""Longer tables show paths that are proven as one line for each chain."""

FOLDED = frozenset({PathState.PROVEN, PathState.PARTLY_PROVEN, PathState.ROUTED})


def draw(coverage: CoverageAnswer) -> RenderableType:
    """Draw every path, the worst first, and what is next."""
    if not coverage.paths:
        return Text(f"No path of {coverage.gateway or 'any gateway'} is rehearsed yet.")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("path", "request", "state", "since", "last pass", "faults", "kind"):
        table.add_column(name, overflow="fold")
    for alike in _lines(coverage.paths):
        table.add_row(*_cells(alike, coverage.at))
    return Group(table, Text(), summary(coverage.states, coverage.ratio), next_line(coverage))


def summary(states: dict[PathState, int], ratio: float | None) -> Text:
    """Count the states, the worst first, and say how much is proven."""
    if not states:
        return Text("none yet")
    counted = sorted(states.items(), key=lambda item: tuple(PathState).index(item[0]))
    parts: list[tuple[str, str] | str] = []
    for state, count in counted:
        parts += [(f"{count} {state.value}", STYLES[state]), "  "]
    share = "" if ratio is None else f"{ratio:.0%} of what can be proven is proven"
    return Text.assemble(*parts, share)


def next_line(coverage: CoverageAnswer) -> Text:
    """Say what is drilled next, and why."""
    path = coverage.next.path
    return Text(f"next: {path}, {coverage.next.reason}" if path else coverage.next.reason)


def explain(coverage: CoverageAnswer) -> RenderableType:
    """Say what is drilled next and why, and what its state means."""
    state = next((p.state for p in coverage.paths if p.path == coverage.next.path), None)
    lines = [next_line(coverage)]
    if state is not None:
        lines.append(Text(f"{state.value}: {MEANINGS[state]}", style="dim"))
    return Group(*lines)


def _lines(paths: Sequence[PathAnswer]) -> Iterable[Sequence[PathAnswer]]:
    worst_first = sorted(paths, key=lambda path: tuple(PathState).index(path.state))
    if len(paths) <= FOLD_OVER:
        return [[path] for path in worst_first]
    folded: dict[tuple[object, ...], list[PathAnswer]] = defaultdict(list)
    for path in worst_first:
        chain = (path.group, path.hop, path.trigger, path.state)
        folded[chain if path.state in FOLDED else (path.path,)].append(path)
    return folded.values()


def _cells(alike: Sequence[PathAnswer], now: datetime) -> tuple[Text, ...]:
    path = alike[0]
    arrow = "nothing is left" if path.hop == NO_HOP else path.hop
    trigger = "" if path.trigger is Trigger.GENERAL else f" ({path.trigger.value})"
    tried = [sum(v.tried_at is not None for v in one.verdicts) for one in alike]
    passes = [one.last_passed_at for one in alike if one.last_passed_at is not None]
    star = "*" if path.critical else ""
    return (
        Text(f"{path.group}{star} → {arrow}{trigger}"),
        Text(_request(path) if len(alike) == 1 else f"{len(alike)} kinds of request"),
        Text(path.state.value, STYLES[path.state]),
        Text(ago(max(one.since for one in alike), now)),
        Text(ago(min(passes, default=None), now)),
        Text(f"{min(tried)}/{path.faults}"),
        Text(path.kind or ""),
    )


def _request(path: PathAnswer) -> str:
    surface = "" if path.surface in ("chat_completions", "embeddings") else f" on {path.surface}"
    return f"{path.shape}{' streamed' if path.stream else ''}{surface}"
