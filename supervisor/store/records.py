"""What the store takes and gives: frozen values, without a trace of the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chaos.drill.report import DrillRow
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import FaultVerdict, LedgerPath, PathState
from supervisor.coverage.risk import risk


@dataclass(frozen=True, slots=True)
class Home:
    """Whose records these are: several daemons may share one store.

    Attributes:
        daemon: The daemon's name.
        gateway: Its gateway's URL: daemons of one gateway share its paths.
    """

    daemon: str
    gateway: str


@dataclass(frozen=True, slots=True)
class Used:
    """What one drill, or a day's drills, use up at one provider."""

    requests: int = 0
    tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class DrillEntry:
    """One drill that has ended, to be written down with everything that follows from it.

    Attributes:
        path: Which path it exercised.
        row: The row of the published report.
        seen: The observation, or JSON; it is redacted and bounded before it is stored.
        accepted_until: The end of the day until which the user accepts this failure.
        partial: Not every deployment of the serving hop has shown itself.
        faults: That take turns on its path; None where the path is none of those rehearsed.
        campaign: That it was part of; None if it was due by itself.
        requests: Sent to the gateway for it.
        used: At real upstreams, by provider.
    """

    path: FallbackPath
    row: DrillRow
    ended_at: datetime
    seen: object = None
    accepted_until: datetime | None = None
    partial: bool = False
    faults: Sequence[str] | None = None
    campaign: str | None = None
    requests: int = 0
    used: Mapping[str, Used] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """What it used in all."""
        return sum(used.tokens for used in self.used.values())

    @property
    def cost_usd(self) -> float:
        """What it cost in all."""
        return sum(used.cost_usd for used in self.used.values())


@dataclass(frozen=True, slots=True)
class Transition:
    """A path's state has changed.

    Attributes:
        at: When that became true.
        noticed_at: When it was noticed.
        drill: The id of the drill that changed it; None where time did.
    """

    path: FallbackPath
    was: PathState
    state: PathState
    at: datetime
    noticed_at: datetime
    drill: str | None = None


@dataclass(frozen=True, slots=True)
class DrillFilter:
    """Which drills; None means any.

    Attributes:
        path: A part of the path's text form.
        since: Ended then or later.
        before: Id of the last drill of the page before.
    """

    gateway: str | None = None
    group: str | None = None
    path: str | None = None
    outcome: str | None = None
    kind: str | None = None
    campaign: str | None = None
    since: datetime | None = None
    before: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class StoredDrill:
    """A drill as it is kept.

    Attributes:
        seen: What was observed, as JSON; None where it was not read, or is kept no more.
    """

    row: DrillRow
    path: FallbackPath
    daemon: str
    gateway: str
    ended_at: datetime
    campaign: str | None = None
    requests: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seen: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StandingFailure:
    """A fault that failed on a path, and no pass has resolved it.

    Attributes:
        row: Of the drill, for the newest failure of each group and hop; None for the others.
    """

    path: FallbackPath
    verdict: FaultVerdict
    row: DrillRow | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A path whose turn it is, and what is known of its faults.

    Attributes:
        version: Of the path's record: a change is made to this one, or not at all.
    """

    record: LedgerPath
    version: int

    def risk(self, now: datetime) -> float:
        """Say how urgent it is."""
        return risk(self.record, now)


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing may be drilled.

    Attributes:
        until: When it ends by itself; None for never.
        daemon: The daemon that it holds for; None for all of them.
    """

    reason: str
    since: datetime
    until: datetime | None = None
    daemon: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """How often drills were refused on one day, for one kind of reason.

    Attributes:
        reason: The last one's, in words.
    """

    kind: str
    count: int
    last_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class KnownDaemon:
    """A daemon that uses this store, and when it was seen last."""

    name: str
    gateway: str
    version: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a gateway's paths are in each state, and how its drills of today ended."""

    states: Mapping[PathState, int] = field(default_factory=dict)
    today: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DayBudget:
    """What a day's drills may use up at one provider; None for no limit."""

    requests: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class DayLimits:
    """What a day's drills may use up, in all and at single providers."""

    together: DayBudget = field(default_factory=DayBudget)
    providers: Mapping[str, DayBudget] = field(default_factory=dict)
