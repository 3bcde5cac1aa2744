"""One path's record, and how it changes with a drill, a changed gateway, or time. Pure.

The state of a path is the worst of the last verdict per fault on it: a pass of one fault never
resolves another's failure. A verdict of a twin is no verdict of the running gateway.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chaos.judge.check import WARNINGS
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.freshness import (
    due_after_nothing,
    due_after_verdict,
    late_at,
    stale_at,
)


class PathState(StrEnum):
    """How a path stands, the worst first."""

    FAILED = "failed"
    NEVER_PROVEN = "never_proven"
    STALE = "stale"
    LATE = "late"
    GAP = "gap"
    ACCEPTED = "accepted"
    ROUTED = "routed"
    PARTLY_PROVEN = "partly_proven"
    PROVEN = "proven"


MEANINGS: Mapping[PathState, str] = {
    PathState.FAILED: "The last drill with some fault failed, and no pass has resolved it.",
    PathState.NEVER_PROVEN: "No drill has passed or failed yet.",
    PathState.STALE: "The last pass is older than twice the target: nothing is taken for proven.",
    PathState.LATE: "The last pass is older than the target.",
    PathState.GAP: "An untouched LiteLLM of this version fails so too; nothing is proven.",
    PathState.ACCEPTED: "It fails in a way that the configuration accepts until a day.",
    PathState.ROUTED: "It passed with a stand-in: the routing is proven, the hop is not.",
    PathState.PARTLY_PROVEN: "It passed, but not every deployment of the hop has served.",
    PathState.PROVEN: "It passed within its target, by the hop's own answer, or by the refusal "
    "or error that the settings expect.",
}


@dataclass(frozen=True, slots=True)
class FaultVerdict:
    """What is known of one fault on one path.

    Attributes:
        fault: As reports write it.
        tried_at: When a drill with it ended last, whatever came of it; None if never.
        outcome: Of the last one that passed or failed; None if none did.
        at: When that ended.
        drill: Its id.
        known_gap: The source, where an untouched LiteLLM fails so, or the user accepts it.
        accepted_until: The end of the day until which the user accepts the failure.
        stand_in: The answer was a stand-in's.
        partial: Not every deployment of the serving hop has shown itself.
        fails: How many drills in a row have failed with it; one more confirms a first failure.
    """

    fault: str
    tried_at: datetime | None = None
    outcome: Outcome | None = None
    at: datetime | None = None
    drill: str | None = None
    kind: str | None = None
    known_gap: str | None = None
    accepted_until: datetime | None = None
    stand_in: bool = False
    partial: bool = False
    fails: int = 0

    @property
    def holds(self) -> bool:
        """The fallback served: it passed, or what failed is only a warning."""
        explained = self.known_gap is not None or self.accepted_until is not None
        warned = self.outcome is Outcome.FAILED and self.kind in WARNINGS
        return self.outcome is Outcome.PASSED or (warned and not explained)

    def state(self, now: datetime) -> PathState | None:
        """Say what this verdict alone makes of its path; None without a verdict."""
        if self.outcome is None:
            return None
        if not self.holds:
            if self.accepted_until is not None:
                return PathState.ACCEPTED if now < self.accepted_until else PathState.FAILED
            return PathState.FAILED if self.known_gap is None else PathState.GAP
        if self.stand_in:
            return PathState.ROUTED
        return PathState.PARTLY_PROVEN if self.partial else PathState.PROVEN


@dataclass(frozen=True, slots=True)
class Ended:
    """What the ledger needs to know of a drill that has ended.

    Attributes:
        twin: It was no drill of the running gateway.
    """

    drill: str
    fault: str
    outcome: Outcome
    at: datetime
    kind: str | None = None
    known_gap: str | None = None
    accepted_until: datetime | None = None
    stand_in: bool = False
    partial: bool = False
    twin: bool = False


@dataclass(frozen=True, slots=True)
class LedgerPath:
    """The record of one path.

    Attributes:
        faults: How many faults take turns on it.
        state: As of *since*, when it became true.
        fingerprint: Of what it leads over.
        known_since: When it was first seen, or came back, or what it leads over has changed.
        passed_at: End of the last pass with any fault.
        misses: Drills in a row that proved nothing.
        full_since: Every fault is to be tried that was not tried since then.
        retired_at: When it vanished from the gateway; None while it is there.
    """

    path: FallbackPath
    target_s: float
    critical: bool
    faults: int
    fingerprint: str
    state: PathState
    since: datetime
    known_since: datetime
    due_at: datetime
    passed_at: datetime | None = None
    late_at: datetime | None = None
    stale_at: datetime | None = None
    misses: int = 0
    full_since: datetime | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the settings ask of a path, and what it leads over.

    Attributes:
        fingerprint: Of the gateway's version and the path's chain.
    """

    target_s: float
    critical: bool
    faults: int
    fingerprint: str


def first_seen(path: FallbackPath, wish: Wish, now: datetime) -> LedgerPath:
    """Begin the record of a path: never proven, and due at once."""
    return LedgerPath(
        path=path,
        target_s=wish.target_s,
        critical=wish.critical,
        faults=wish.faults,
        fingerprint=wish.fingerprint,
        state=PathState.NEVER_PROVEN,
        since=now,
        known_since=now,
        due_at=now,
    )


def kept(record: LedgerPath, wish: Wish, now: datetime) -> LedgerPath:
    """Go on with a path that the gateway still has, or has again.

    Where it is back, or what it leads over is not what it was, every fault is tried anew, at once.
    """
    anew = record.retired_at is not None or record.fingerprint != wish.fingerprint
    record = replace(
        record,
        target_s=wish.target_s,
        critical=wish.critical,
        faults=wish.faults,
        fingerprint=wish.fingerprint,
        retired_at=None,
    )
    if record.passed_at is not None:
        record = _dated(record, record.passed_at)
    if anew:
        return replace(record, known_since=now, full_since=now, due_at=now, misses=0)
    latest_due = due_after_verdict(now, wish.target_s, wish.faults, failed=False)
    return replace(record, due_at=min(record.due_at, latest_due))


def retired(record: LedgerPath, now: datetime) -> LedgerPath:
    """Lay a path aside that the gateway has no more; its history stays."""
    return record if record.retired_at is not None else replace(record, retired_at=now)


def after_drill(
    record: LedgerPath, verdicts: Mapping[str, FaultVerdict], ended: Ended
) -> tuple[LedgerPath, FaultVerdict]:
    """Take a drill of the path into account.

    Args:
        verdicts: By fault; those of the path that are still in its turn.

    Returns:
        The path, and what is now known of the drill's fault.
    """
    own = verdicts.get(ended.fault, FaultVerdict(ended.fault))
    fails = own.fails if own.state(ended.at) is PathState.FAILED else 0
    counts = ended.outcome in (Outcome.PASSED, Outcome.FAILED) and not ended.twin
    if counts:
        own = FaultVerdict(
            fault=ended.fault,
            tried_at=ended.at,
            outcome=ended.outcome,
            at=ended.at,
            drill=ended.drill,
            kind=ended.kind,
            known_gap=ended.known_gap,
            accepted_until=ended.accepted_until,
            stand_in=ended.stand_in,
            partial=ended.partial,
        )
        if own.state(ended.at) is PathState.FAILED:
            # What is explained, or only misreported, is no failure before this one.
            own = replace(own, fails=fails + 1)
    elif ended.outcome is not Outcome.ABORTED:
        own = replace(own, tried_at=ended.at)
    known = {**verdicts, ended.fault: own}
    failed = counts and own.state(ended.at) is PathState.FAILED
    if counts and own.holds:
        record = _dated(record, ended.at)
    full_since = record.full_since
    if failed and full_since is None and record.state is not PathState.FAILED:
        # Something broke: how much else is broken is found out at once.
        full_since = ended.at
    untried = any(
        full_since is not None and (v.tried_at is None or v.tried_at < full_since)
        for v in known.values()
    )
    misses = record.misses + 1 if ended.outcome is Outcome.INCONCLUSIVE else 0
    if ended.outcome is Outcome.ABORTED:
        due_at = ended.at
        misses = record.misses
    elif misses:
        due_at = due_after_nothing(ended.at, record.target_s, record.faults, misses)
    elif untried or (counts and _unconfirmed(known.values(), ended.at) is not None):
        due_at = ended.at
    else:
        standing = _worst(known.values(), ended.at) is PathState.FAILED
        due_at = due_after_verdict(ended.at, record.target_s, record.faults, failed=standing)
    record = replace(
        record, due_at=due_at, misses=misses, full_since=full_since if untried else None
    )
    return evaluated(record, known.values(), ended.at), own


def evaluated(record: LedgerPath, verdicts: Iterable[FaultVerdict], now: datetime) -> LedgerPath:
    """Say how the path stands now, and since when that is true."""
    verdicts = tuple(verdicts)
    state = _worst(verdicts, now)
    since = now
    if state is PathState.FAILED:
        since = _failed_since(verdicts, now)
    elif state is None:
        state = PathState.NEVER_PROVEN
    elif state in _FRESH and record.stale_at is not None and now >= record.stale_at:
        state, since = PathState.STALE, record.stale_at
    elif state in _FRESH and record.late_at is not None and now >= record.late_at:
        state, since = PathState.LATE, record.late_at
    if state is record.state:
        return record
    return replace(record, state=state, since=since)


def turns_at(record: LedgerPath, verdicts: Iterable[FaultVerdict]) -> datetime | None:
    """Say when the state changes by itself, if no drill changes it before; None if it does not."""
    if record.state in _FRESH:
        return record.late_at
    if record.state is PathState.LATE:
        return record.stale_at
    ends = [one.accepted_until for one in verdicts if one.accepted_until is not None]
    return min(ends, default=None) if record.state in (PathState.ACCEPTED, PathState.GAP) else None


_FRESH = frozenset({PathState.ROUTED, PathState.PARTLY_PROVEN, PathState.PROVEN})
"""States that only hold while the last pass is young."""


def next_fault(
    record: LedgerPath,
    verdicts: Mapping[str, FaultVerdict],
    faults: Sequence[str],
    now: datetime,
) -> str:
    """Choose the fault whose turn it is, of those that apply.

    The one that was tried longest ago; on a path that failed, every other turn belongs to a fault
    whose failure stands, so that its recovery shows. Where all are tried anew, those go first.
    """
    known = [verdicts.get(fault, FaultVerdict(fault)) for fault in faults]

    def age(one: FaultVerdict) -> tuple[bool, float, int]:
        tried = one.tried_at
        return (tried is not None, tried.timestamp() if tried else 0.0, faults.index(one.fault))

    unconfirmed = _unconfirmed(known, now)
    if unconfirmed is not None and not record.misses:
        # Before anybody is woken, the same drill once more.
        return unconfirmed.fault
    oldest = min(known, key=age)
    standing = [one for one in known if one.state(now) is PathState.FAILED]
    if record.full_since is not None:
        since = record.full_since
        untried = [one for one in known if one.tried_at is None or one.tried_at < since]
        # What has failed before comes first: some faults take a minute each, and a fallback that
        # was mended is not to be called broken for so long.
        broken = [one for one in untried if one in standing]
        return min(broken or untried or known, key=age).fault
    last = max(known, key=age)
    if standing and last not in standing:
        return min(standing, key=age).fault
    return oldest.fault


def _unconfirmed(verdicts: Iterable[FaultVerdict], now: datetime) -> FaultVerdict | None:
    """Find the one failure on a path that a single drill has seen; None if there are more."""
    standing = [one for one in verdicts if one.state(now) is PathState.FAILED]
    return standing[0] if len(standing) == 1 and standing[0].fails == 1 else None


def _dated(record: LedgerPath, passed_at: datetime) -> LedgerPath:
    return replace(
        record,
        passed_at=passed_at,
        late_at=late_at(passed_at, record.target_s),
        stale_at=stale_at(passed_at, record.target_s),
    )


def _worst(verdicts: Iterable[FaultVerdict], now: datetime) -> PathState | None:
    states = [state for one in verdicts if (state := one.state(now)) is not None]
    return min(states, key=_ORDER.index) if states else None


_ORDER = tuple(PathState)


def _failed_since(verdicts: Iterable[FaultVerdict], now: datetime) -> datetime:
    """Say when the first failure that stands became one: as it was seen, or no longer accepted."""
    begun = [
        one.accepted_until or one.at
        for one in verdicts
        if one.at is not None and one.state(now) is PathState.FAILED
    ]
    return min(begun, default=now)
