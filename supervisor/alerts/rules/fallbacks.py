"""Fallbacks that do not hold, were not proven for too long, or never were."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from chaos.drill.report import DrillRow, FindingRow
from chaos.judge.check import Result
from supervisor.alerts.rule import AlertRule, Condition
from supervisor.coverage.ledger import LedgerPath, PathState
from supervisor.probes.probe import PartKind
from supervisor.probes.standing import DEAD
from supervisor.status import Status
from supervisor.store.alerts.records import Severity
from supervisor.store.records import StandingFailure

CONFIRMED = 2
"""Drills that must have failed: a single one wakes nobody."""

UNCONFIRMED_FOR = timedelta(hours=1)
READ_WITHIN = timedelta(minutes=10)
"""How long a daemon that was just started may take to read its gateway."""


def _broken(status: Status) -> Iterator[Condition]:
    by_hop: dict[tuple[str, str], list[StandingFailure]] = {}
    for failure in status.failures:
        by_hop.setdefault((failure.path.group, failure.path.hop), []).append(failure)
    paths: dict[tuple[str, str], int] = {}
    for path in status.ledger:
        paths[path.group, path.hop] = paths.get((path.group, path.hop), 0) + 1
    for (group, hop), failed in by_hop.items():
        if sum(one.verdict.fails for one in failed) >= CONFIRMED or _stands(failed, status.at):
            yield _broken_hop(status, group, hop, failed, paths.get((group, hop), 0))


def _stands(failed: list[StandingFailure], now: datetime) -> bool:
    """Report whether a single failure has stood for long, neither confirmed nor resolved.

    Drills that prove nothing (a busy engine, a gateway that refuses them) must not hide it.
    """
    dates = [one.verdict.at for one in failed if one.verdict.at is not None]
    return any(now - at >= UNCONFIRMED_FOR for at in dates)


def _broken_hop(
    status: Status, group: str, hop: str, failed: list[StandingFailure], paths: int
) -> Condition:
    newest = failed[0]  # They are listed so.
    kind = newest.verdict.kind or "failed"
    broken = len({one.path for one in failed})
    where = f"{hop!r} does not hold as the fallback of {group!r}"
    if hop == "none":
        where = f"{group!r} does not fail cleanly when every hop fails"
    dates = [one.verdict.at for one in failed if one.verdict.at is not None]
    found = _finding(newest.row)
    lines = [f"{broken} of {paths} paths have failed, the last one with {_fault(newest)}."]
    if found is not None:
        lines.append(found.message)
        if found.remedy:
            lines.append(found.remedy)
    lines += [f"Audit: {one.message} {one.remedy}" for one in status.findings if one.subject == hop]
    drill = newest.verdict.drill or ""
    lines.append(f"understudy show {drill}")
    return Condition(
        labels={"group": group, "hop": hop},
        since=min(dates, default=None),
        summary=f"{where}: {kind}",
        description="\n".join(lines),
        more={
            "kind": kind,
            "drill": drill,
            "path": str(newest.path),
            **({"remedy": found.remedy} if found is not None and found.remedy else {}),
        },
    )


def _fault(failure: StandingFailure) -> str:
    streamed = ", streamed" if failure.path.stream else ""
    return f"{failure.verdict.fault} on {failure.path.shape}{streamed}"


def _finding(row: DrillRow | None) -> FindingRow | None:
    """Pick the finding that gave the verdict its kind."""
    if row is None:
        return None
    failed = [one for one in row.findings if one.result is Result.FAILED]
    return next((one for one in failed if one.kind is row.kind), next(iter(failed), None))


def _stale(status: Status) -> Iterator[Condition]:
    by_hop: dict[tuple[str, str], list[LedgerPath]] = {}
    for path, record in status.ledger.items():
        if record.state is PathState.STALE:
            by_hop.setdefault((path.group, path.hop), []).append(record)
    for (group, hop), stale in by_hop.items():
        oldest = min(stale, key=lambda one: one.since)
        passed = "" if oldest.passed_at is None else f" since {oldest.passed_at:%Y-%m-%d %H:%M} UTC"
        yield Condition(
            labels={"group": group, "hop": hop},
            since=oldest.since,
            summary=f"{hop!r} has not been proven as the fallback of {group!r}{passed}",
            description=f"{len(stale)} paths are older than twice their target. "
            f"{_why_not(status)}understudy coverage",
        )


def _never_proven(status: Status) -> Iterator[Condition]:
    by_group: dict[str, list[LedgerPath]] = {}
    for path, record in status.ledger.items():
        due = record.known_since + timedelta(seconds=record.target_s)
        if record.state is PathState.NEVER_PROVEN and due <= status.at:
            by_group.setdefault(path.group, []).append(record)
    for group, unproven in by_group.items():
        yield Condition(
            labels={"group": group},
            since=_first_target(unproven),
            summary=f"no fallback of {group!r} was ever proven on {len(unproven)} paths",
            description=f"Their first target has passed. {_why_not(status)}understudy coverage",
        )


def _first_target(unproven: Iterable[LedgerPath]) -> datetime:
    return min(one.known_since + timedelta(seconds=one.target_s) for one in unproven)


def _why_not(status: Status) -> str:
    """Say what keeps drills from running, if anything does."""
    reasons = [f"halted: {status.halt.reason}"] if status.halt is not None else []
    reasons += [status.condition.closed] if status.condition.closed else []
    reasons += [f"{one.kind} {one.count} times: {one.reason}" for one in status.refused[:3]]
    return f"Drills were refused ({'; '.join(reasons)}). " if reasons else ""


def _gateway_is_silent(status: Status) -> bool:
    """A gateway that is down, or was not read yet, says nothing about its paths."""
    if status.condition.topology_at is None:
        # One that cannot be read at all must not keep proofs from growing old.
        return status.at - status.condition.started_at < READ_WITHIN
    return any(
        part.kind is PartKind.GATEWAY and standing.state in DEAD
        for part, standing in status.condition.parts.items()
    )


BROKEN = AlertRule("FallbackBroken", Severity.PAGE, _broken, unjudged=_gateway_is_silent)
STALE = AlertRule("FallbackStale", Severity.TICKET, _stale, unjudged=_gateway_is_silent)
NEVER_PROVEN = AlertRule(
    "FallbackNeverProven", Severity.TICKET, _never_proven, unjudged=_gateway_is_silent
)
RULES = (BROKEN, STALE, NEVER_PROVEN)
