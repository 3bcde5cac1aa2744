"""Silence of a client is late first, then missed; a client never heard of gets its time too."""

from datetime import datetime, timedelta

import pytest

from supervisor.probes.kinds.heartbeat import (
    Beats,
    Expected,
    HeartbeatProbe,
    PulseStatus,
    judge,
)
from supervisor.probes.probe import Cadence, Part, PartKind, Probe, ProbeReading, State
from tests.fakes.manual_clock import NOON

HOUR, MINUTE, MOMENT = timedelta(hours=1), timedelta(minutes=1), timedelta(microseconds=1)
HOURLY = Expected("backup", period=HOUR, grace=10 * MINUTE)


def beats(last_at: datetime | None = NOON, known_since: datetime = NOON - 24 * HOUR) -> Beats:
    """Remember a client that beat at *last_at*."""
    return Beats("backup", known_since, last_at, 0 if last_at is None else 7)


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (timedelta(0), PulseStatus.ON_TIME),
        (HOUR, PulseStatus.ON_TIME),
        (HOUR + MOMENT, PulseStatus.LATE),
        (HOUR + 10 * MINUTE, PulseStatus.LATE),
        (HOUR + 10 * MINUTE + MOMENT, PulseStatus.MISSED),
    ],
)
def test_silence_is_late_after_a_period_and_missed_after_its_grace(
    after: timedelta, status: PulseStatus
):
    """A beat is late from its period on and missed from its grace on, to the microsecond."""
    pulse = judge(HOURLY, beats(), NOON + after)
    assert pulse.status is status
    assert pulse.age_s == after.total_seconds()
    assert pulse.due_at == NOON + HOUR


@pytest.mark.parametrize(
    ("after", "status"),
    [
        (HOUR, PulseStatus.NEW),
        (HOUR + 10 * MINUTE, PulseStatus.NEW),
        (HOUR + 10 * MINUTE + MOMENT, PulseStatus.MISSED),
    ],
)
def test_a_client_never_heard_of_has_a_period_and_its_grace(after: timedelta, status: PulseStatus):
    """What never beat is new, never late, until its first beat is overdue."""
    pulse = judge(HOURLY, beats(None, known_since=NOON), NOON + after)
    assert (pulse.status, pulse.age_s, pulse.due_at) == (status, None, NOON + HOUR)


@pytest.mark.parametrize("last_at", [NOON, None])
@pytest.mark.parametrize(
    ("after", "missed"),
    [
        (HOUR + 10 * MINUTE, 0),
        (HOUR + 11 * MINUTE, 1),
        (2 * HOUR - MOMENT, 1),
        (2 * HOUR, 2),
        (25 * HOUR, 25),
    ],
)
def test_whole_periods_of_silence_are_counted(
    last_at: datetime | None, after: timedelta, missed: int
):
    """As many beats are missing as whole periods have passed, and none within the grace."""
    assert judge(HOURLY, beats(last_at, known_since=NOON), NOON + after).missed == missed


def test_a_grace_of_many_periods_counts_nothing_as_missed():
    """Beats that are absent within a long grace are not missing yet."""
    patient = Expected("backup", period=MINUTE, grace=HOUR)
    pulse = judge(patient, beats(), NOON + 30 * MINUTE)
    assert (pulse.status, pulse.missed) == (PulseStatus.LATE, 0)


def test_a_beat_from_the_future_has_just_come():
    """A writer whose clock is ahead makes no age below zero."""
    pulse = judge(HOURLY, beats(NOON + MINUTE), NOON)
    assert (pulse.status, pulse.age_s) == (PulseStatus.ON_TIME, 0.0)


@pytest.mark.parametrize(
    ("period", "grace"), [(timedelta(0), HOUR), (-MOMENT, HOUR), (HOUR, -MOMENT)]
)
def test_a_promise_of_no_time_is_refused(period: timedelta, grace: timedelta):
    """A period of zero, which no count of beats fits, or a negative time cannot be expected."""
    with pytest.raises(ValueError, match="heartbeat backup"):
        Expected("backup", period, grace)


def test_a_grace_of_zero_is_none():
    """Without a grace, what is late is missed."""
    strict = Expected("backup", HOUR, timedelta(0))
    assert judge(strict, beats(), NOON + HOUR + MOMENT).status is PulseStatus.MISSED


def probing(known: Beats) -> HeartbeatProbe:
    """Look at a client whose beats are *known*."""

    async def fetch() -> Beats:
        return known

    return HeartbeatProbe(HOURLY, fetch)


async def look(known: Beats, now: datetime) -> ProbeReading:
    """Look once."""
    return await probing(known).probe(now)


def test_a_single_look_decides():
    """A heartbeat's part has its name, asks nobody, and changes with every look."""
    probe: Probe = probing(beats())
    assert probe.part == Part(PartKind.HEARTBEAT, "backup")
    assert probe.across_network is False
    assert (probe.cadence.failing, probe.cadence.recovering) == (1, 1)
    faster = Cadence(every=timedelta(seconds=1))
    assert HeartbeatProbe(HOURLY, probing(beats()).beats, faster).cadence == faster


@pytest.mark.parametrize(
    ("last_at", "after", "state", "reason"),
    [
        (
            None,
            5 * MINUTE,
            State.UNKNOWN,
            "no sign of life yet; the first is expected before 2026-03-01 13:10:00+00:00",
        ),
        (NOON, 5 * MINUTE, State.UP, "last sign of life 5m ago"),
        (
            NOON,
            HOUR + 5 * MINUTE,
            State.SLOW,
            "late: last sign of life 1h5m ago (every 1h, grace 10m)",
        ),
        (
            NOON,
            26 * HOUR + 5 * MINUTE,
            State.DOWN,
            "last sign of life 1d2h ago, 26 missed (every 1h, grace 10m)",
        ),
        (
            None,
            26 * HOUR + 5 * MINUTE,
            State.DOWN,
            "no sign of life ever, expected for 1d2h; 26 missed (every 1h, grace 10m)",
        ),
    ],
    ids=["new", "on_time", "late", "missed", "never"],
)
async def test_a_pulse_is_a_state_with_its_reason(
    last_at: datetime | None, after: timedelta, state: State, reason: str
):
    """Each status of a pulse is one state of the part, and the reason says how late it is."""
    reading = await look(beats(last_at, known_since=NOON), NOON + after)
    assert (reading.state, reading.reason) == (state, reason)


async def test_facts_hold_the_numbers():
    """What the page and the metrics show is in the facts, as JSON."""
    reading = await look(beats(), NOON + 2 * HOUR)
    assert reading.facts == {
        "age_s": 7200.0,
        "last_at": "2026-03-01T12:00:00+00:00",
        "missed": 2,
        "count": 7,
    }


async def test_facts_of_a_client_never_heard_of_are_null():
    """What never came has neither a time nor an age."""
    reading = await look(beats(None, known_since=NOON), NOON)
    assert reading.facts == {"age_s": None, "last_at": None, "missed": 0, "count": 0}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError("database is locked\n[SQL: SELECT …]"), "RuntimeError: database is locked"),
        (OSError(), "OSError"),
    ],
)
async def test_a_store_that_does_not_answer_is_no_silence_of_the_client(error: Exception, why: str):
    """Where the beats cannot be read nothing is known of the client, and the reason is one line."""

    async def fetch() -> Beats:
        raise error

    reading = await HeartbeatProbe(HOURLY, fetch).probe(NOON)
    assert reading.state is State.UNKNOWN
    assert reading.reason == f"the store did not say when it last beat: {why}"
    assert reading.facts == {}
