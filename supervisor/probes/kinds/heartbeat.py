"""Heartbeats: clients that report on their own, such as cron jobs, and what silence means.

``judge`` is pure: what is expected, what came and the time in, one pulse out. A client that was
never heard of has, from when it became known, a period and its grace before it counts as missing.

Facts: ``age_s`` and ``last_at`` (ISO 8601) of the newest beat, null if there was none; ``missed``,
how many are missing; ``count``, how many came.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from supervisor.probes.probe import Cadence, Part, PartKind, ProbeReading, State
from supervisor.settings.values import duration_text

EACH_LOOK_COUNTS = Cadence(failing=1, recovering=1)
"""The time of the last beat is in the store: a second look at it finds the same."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a client promises.

    Attributes:
        period: From one beat to the next; longer than zero.
        grace: How much later than that is not an alarm yet.
    """

    name: str
    period: timedelta
    grace: timedelta

    def __post_init__(self) -> None:
        if self.period <= timedelta(0) or self.grace < timedelta(0):
            raise ValueError(f"heartbeat {self.name}: its period is zero, or a time is negative")


@dataclass(frozen=True, slots=True)
class Beats:
    """What came from a client.

    Attributes:
        known_since: When it was first expected.
        last_at: When the newest beat came; None if none ever did.
        count: How many came.
    """

    name: str
    known_since: datetime
    last_at: datetime | None
    count: int


class PulseStatus(StrEnum):
    """How a client's beats come."""

    NEW = "new"  # none came yet, and none is missing
    ON_TIME = "on_time"
    LATE = "late"  # due, and within its grace
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a client's beats come.

    Attributes:
        missed: How many are missing; 0 as long as the grace lasts.
        due_at: When the next beat is due, without grace.
        age_s: Seconds since the newest beat; None if there was none.
    """

    status: PulseStatus
    missed: int
    due_at: datetime
    age_s: float | None


def judge(expected: Expected, beats: Beats, now: datetime) -> Pulse:
    """Judge how a client's beats come. Pure."""
    since = beats.known_since if beats.last_at is None else beats.last_at
    # The store's writers may have clocks of their own: a beat from the future has just come.
    silence = max(now - since, timedelta(0))
    due_at = since + expected.period
    age_s = None if beats.last_at is None else silence.total_seconds()
    if silence > expected.period + expected.grace:
        return Pulse(PulseStatus.MISSED, silence // expected.period, due_at, age_s)
    if beats.last_at is None:
        return Pulse(PulseStatus.NEW, 0, due_at, age_s)
    late = silence > expected.period
    return Pulse(PulseStatus.LATE if late else PulseStatus.ON_TIME, 0, due_at, age_s)


STATES = {
    PulseStatus.NEW: State.UNKNOWN,
    PulseStatus.ON_TIME: State.UP,
    PulseStatus.LATE: State.SLOW,
    PulseStatus.MISSED: State.DOWN,
}


@dataclass(frozen=True, slots=True)
class HeartbeatProbe:
    """A look at the beats of one client.

    Attributes:
        beats: Fetches what came from it.
    """

    expected: Expected
    beats: Callable[[], Awaitable[Beats]]
    cadence: Cadence = EACH_LOOK_COUNTS

    @property
    def part(self) -> Part:
        """The client, by the heartbeat's name."""
        return Part(PartKind.HEARTBEAT, self.expected.name)

    @property
    def across_network(self) -> bool:
        """It asks nobody: clients report on their own."""
        return False

    async def probe(self, now: datetime, /) -> ProbeReading:
        """Look once."""
        try:
            beats = await self.beats()
        except Exception as error:  # noqa: BLE001 -- whatever keeps the store from answering
            return ProbeReading(self.part, State.UNKNOWN, _unread(error))
        pulse = judge(self.expected, beats, now)
        facts = {
            "age_s": pulse.age_s,
            "last_at": None if beats.last_at is None else beats.last_at.isoformat(),
            "missed": pulse.missed,
            "count": beats.count,
        }
        reason = _reason(self.expected, beats, pulse, now)
        return ProbeReading(self.part, STATES[pulse.status], reason, facts=facts)


def _reason(expected: Expected, beats: Beats, pulse: Pulse, now: datetime) -> str:
    promise = f"every {duration_text(expected.period)}, grace {duration_text(expected.grace)}"
    age = duration_text(timedelta(seconds=pulse.age_s or 0), units=2)
    if pulse.status is PulseStatus.NEW:
        latest = (pulse.due_at + expected.grace).isoformat(" ", "seconds")
        return f"no sign of life yet; the first is expected before {latest}"
    if pulse.status is PulseStatus.ON_TIME:
        return f"last sign of life {age} ago"
    if pulse.status is PulseStatus.LATE:
        return f"late: last sign of life {age} ago ({promise})"
    if beats.last_at is None:
        known = duration_text(now - beats.known_since, units=2)
        return f"no sign of life ever, expected for {known}; {pulse.missed} missed ({promise})"
    return f"last sign of life {age} ago, {pulse.missed} missed ({promise})"


def _unread(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    # The first line only: below it, errors of databases quote whole statements.
    why = f"{type(error).__name__}: {lines[0][:200]}".removesuffix(": ")
    return f"the store did not say when it last beat: {why}"
