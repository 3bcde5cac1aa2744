"""What every reader sees: one immutable snapshot of everything that is known at one moment.

API, page, metrics and alerts read only this, so they can never disagree.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from chaos.scenario.scenario import FallbackPath
from supervisor.audit.report import FindingRow
from supervisor.baseline.standing import Speed
from supervisor.coverage.ledger import FaultVerdict, LedgerPath, PathState
from supervisor.coverage.risk import in_words
from supervisor.probes.kinds.heartbeat import Beats, Expected, Pulse, judge
from supervisor.probes.probe import Part
from supervisor.probes.standing import Change, Standing
from supervisor.store.alerts.records import AlertState, NotifierRecord, Silence
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout
from supervisor.store.records import (
    Counts,
    Halt,
    KnownDaemon,
    Refused,
    StandingFailure,
    Transition,
    Used,
)
from supervisor.tally import Tally

PROVEN = frozenset({PathState.PROVEN, PathState.PARTLY_PROVEN, PathState.ROUTED})
FELT = "other traffic felt the drill"
"""How the reason of a halt begins that follows a drill which others have felt."""

UNCOUNTED = frozenset({PathState.GAP, PathState.ACCEPTED})
"""States that say nothing about how much is proven."""


@dataclass(frozen=True, slots=True)
class Running:
    """A drill that runs now."""

    id: str
    scenario: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class TestAlert:
    """An alert that somebody asked for, to see that it arrives."""

    __test__ = False  # It is no test of pytest's.

    id: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """What the daemon knows of itself, besides what it remembers.

    Attributes:
        gateway_trouble: Why the gateway cannot be drilled just now; None if it can.
        store_trouble: Why nothing can be written just now; None if it can.
        reload_trouble: Why the last reload was refused; None if it was taken.
        topology_at: When the gateway was read last; None if not yet.
        closed: Why no drill may run at this time of day; None if one may.
        measuring: The engine whose speed is measured now; None if none is.
        parts: How everything that is watched stands.
        expected: The heartbeats that are waited for.
        parts_known: What is watched is known; before that nothing can be said of parts, ...
        engines_known: ... nor of engines before the gateway was read, which names them.
        budget_usd: Money that a day's drills may spend; None for no limit.
        tests: Alerts that somebody asked for.
        only_fallbacks: Nobody asks local engines directly: what they serve is fallback traffic.
        rules: Severity by alert, of every alert that there may be.
        notifiers: Everybody who is told.
        broken_notifiers: Why some of them cannot be used at all, by name.
    """

    daemon: str
    gateway: str
    version: str
    started_at: datetime
    store: str
    litellm_version: str = ""
    gateway_trouble: str | None = None
    store_trouble: str | None = None
    reload_trouble: str | None = None
    topology_at: datetime | None = None
    closed: str | None = None
    running: Running | None = None
    measuring: str | None = None
    stopping: bool = False
    parts: Mapping[Part, Standing] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    parts_known: bool = False
    engines_known: bool = False
    budget_usd: float | None = 0.0
    tests: tuple[TestAlert, ...] = ()
    only_fallbacks: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    notifiers: tuple[str, ...] = ()
    broken_notifiers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the daemon measures of itself.

    Attributes:
        loop_lag_s: The worst lag of its event loop within the last minute.
        strays: Requests to the witness that no drill has sent, since the start.
        told: How often a notifier was tried, by its name and what came of it.
    """

    loop_lag_s: float = 0.0
    strays: int = 0
    told: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeartbeatStatus:
    """A client that says regularly that it is alive: what was promised, and what came."""

    expected: Expected
    beats: Beats
    pulse: Pulse


@dataclass(frozen=True, slots=True)
class PathStatus:
    """One path, and what is known of its faults, the newest verdict first."""

    record: LedgerPath
    verdicts: tuple[FaultVerdict, ...] = ()

    @property
    def kind(self) -> str | None:
        """The kind of the newest failure that stands."""
        failed = (v for v in self.verdicts if v.kind is not None and v.outcome == "failed")
        return next((v.kind for v in failed), None)

    @property
    def tried(self) -> int:
        """How many faults have been tried."""
        return sum(verdict.tried_at is not None for verdict in self.verdicts)


V = TypeVar("V")


class Lazily(Mapping[FallbackPath, V]):
    """Paths of one moment, which are taken apart when somebody looks at them first."""

    def __init__(self, make: Callable[[], Mapping[FallbackPath, V]]) -> None:
        self._make = make
        self._made: Mapping[FallbackPath, V] | None = None

    @property
    def _paths(self) -> Mapping[FallbackPath, V]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, path: FallbackPath) -> V:
        return self._paths[path]

    def __iter__(self) -> Iterator[FallbackPath]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is known at one moment.

    Attributes:
        records: The paths without what is known of their faults; read from *paths*, if not given.
        refused: Drills that were due today (UTC) and refused, by kind.
        changes: How paths changed, newest first.
        findings: What the last audit found.
        audited: There was one, since this store was made.
        used_today: What drills have used or set aside today (UTC), by provider.
        part_changes: How watched parts changed, newest first.
        beats: What came of the heartbeats that are waited for, by name.
        failures: Failures that stand, on paths that are rehearsed.
        alerts: Every alert that is pending or fires.
        notifiers: How deliveries to each notifier go, by its name.
        silences: That hold.
        speeds: How fast each engine is, by name, of those that were measured.
        rollouts: The newest swap of each container.
        patches: What files mounted over an image's own replace, the newest look last.
        tally: What was counted since the daemon was started.
        measured: What it measures of itself.
        old: It could not be made anew, because the store is away.
        next_path: The path that is drilled next; None if none is due.
        next_reason: Why that one, in words; or when the next is due.
        next_due_at: When the next path is due; None if one is due now, or nothing is rehearsed.
    """

    at: datetime
    condition: Condition
    paths: Mapping[FallbackPath, PathStatus] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    halt: Halt | None = None
    refused: tuple[Refused, ...] = ()
    changes: tuple[Transition, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    audited: bool = False
    used_today: Mapping[str, Used] = field(default_factory=dict)
    daemons: tuple[KnownDaemon, ...] = ()
    part_changes: tuple[Change, ...] = ()
    beats: Mapping[str, Beats] = field(default_factory=dict)
    failures: tuple[StandingFailure, ...] = ()
    alerts: tuple[AlertState, ...] = ()
    notifiers: Mapping[str, NotifierRecord] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    rollouts: tuple[JournalRollout, ...] = ()
    patches: tuple[PatchLook, ...] = ()
    tally: Tally = field(default_factory=Tally)
    measured: Measured = field(default_factory=Measured)
    next_path: FallbackPath | None = None
    next_reason: str = ""
    next_due_at: datetime | None = None
    records: Mapping[FallbackPath, LedgerPath] | None = None
    old: bool = False

    @property
    def ledger(self) -> Mapping[FallbackPath, LedgerPath]:
        """Give the paths without what is known of their faults, which is less to read."""
        if self.records is not None:
            return self.records
        return {path: one.record for path, one in self.paths.items()}

    @property
    def coverage_ratio(self) -> float | None:
        """The share of paths that are proven, of those that can be; None without any."""
        counted = sum(n for state, n in self.counts.states.items() if state not in UNCOUNTED)
        proven = sum(n for state, n in self.counts.states.items() if state in PROVEN)
        return proven / counted if counted else None

    @property
    def heartbeats(self) -> tuple[HeartbeatStatus, ...]:
        """Say how the clients are from which a sign of life is expected."""
        found = []
        for expected in self.condition.expected:
            beats = self.beats.get(expected.name) or Beats(expected.name, self.at, None, 0)
            found.append(HeartbeatStatus(expected, beats, judge(expected, beats, self.at)))
        return tuple(found)

    @property
    def troubled(self) -> tuple[str, ...]:
        """Name the parts without which the daemon cannot do its job; nothing if it can."""
        condition = self.condition
        parts = {
            "the daemon stops": condition.stopping,
            "the store": condition.store_trouble,
            "the gateway": condition.gateway_trouble,
        }
        return tuple(part for part, trouble in parts.items() if trouble)

    @property
    def problems(self) -> tuple[str, ...]:
        """Say why the daemon cannot do its job; nothing if it can."""
        condition = self.condition
        known = (condition.store_trouble, condition.gateway_trouble)
        stops = ("the daemon stops",) if condition.stopping else ()
        return (*stops, *(trouble for trouble in known if trouble is not None))


def why_next(record: LedgerPath | None, next_due: datetime | None, now: datetime) -> str:
    """Say why a path is next, or when there will be one."""
    if record is not None:
        return in_words(record, now)
    if next_due is None:
        return "there is nothing to rehearse"
    return f"nothing is due before {next_due.isoformat(' ', 'seconds')}"
