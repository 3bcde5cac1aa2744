"""Tests of how fast a gateway may be drilled; no test waits for a clock."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chaos.drill.drill import Drill
from chaos.drill.pace import FEW, LATE_WITHIN_S, MOST_PAUSE_S, PAUSE_S, QUIET_S, Pace, Undisturbed
from chaos.judge.check import Kind
from chaos.judge.observation import Load
from chaos.judge.verdict import Outcome, Verdict
from tests.fakes.observations import faulted, plan, seen, served


class Clock:
    """A clock that goes on only while somebody sleeps, and the witness's last late attempt.

    Attributes:
        arrivals: When late attempts come.
    """

    def __init__(self, *arrivals):
        self.now_s = 1000.0
        self.slept = []
        self.arrivals = [1000.0 + at_s for at_s in arrivals]

    @property
    def last_late_at_s(self):
        """Tell the last one that has come."""
        return max((at_s for at_s in self.arrivals if at_s <= self.now_s), default=0.0)

    async def sleep(self, seconds):
        """Let *seconds* pass."""
        self.slept.append(seconds)
        self.now_s += seconds


def paced(clock, said=None):
    """A pace by *clock*."""
    say = (said if said is not None else []).append
    return Pace(clock, say=say, sleep=clock.sleep, now=lambda: clock.now_s)


def drill(kind=None, *, lag_s=0.01, requests=1):
    """A drill that came to this."""
    outcome = Outcome.PASSED if kind is None else Outcome.INCONCLUSIVE
    observed = replace(seen(faulted(), served()), load=Load(lag_s=lag_s))
    return Drill(plan(), Verdict(outcome, kind, ()), observed, datetime.now(UTC), requests)


async def test_an_idle_gateway_is_never_waited_for():
    """The usual campaign goes as fast as before."""
    clock = Clock()
    pace = paced(clock)
    pace.measured(Undisturbed(reply_s=0.02, lag_s=0.01), deadline_s=60)
    for _ in range(20):
        await pace.ready()
        pace.note(drill())
    assert clock.slept == []
    assert pace.refusal() is None


async def test_after_a_drill_that_was_given_up_its_late_attempts_are_waited_for():
    """Each is waited for from the one before, until none comes any more."""
    clock = Clock(0.3, 0.7, 1.1)
    await paced(clock).settle()
    assert clock.now_s == pytest.approx(1000.0 + 1.1 + QUIET_S)


async def test_a_slow_gateway_is_quiet_only_after_three_of_its_replies():
    """Its next late attempt takes as long as everything else there."""
    clock = Clock(4.0)
    pace = paced(clock)
    pace.measured(Undisturbed(reply_s=2.0, lag_s=1.0), deadline_s=60)
    await pace.settle()
    assert clock.now_s == pytest.approx(1000.0 + 4.0 + 6.0)


async def test_late_attempts_without_end_are_not_waited_for_for_ever():
    """The wait is bounded."""
    clock = Clock(*(place / 4 for place in range(4000)))
    await paced(clock).settle()
    assert clock.now_s <= 1000.0 + LATE_WITHIN_S + QUIET_S


async def test_pauses_grow_with_the_gateway_s_own_delay():
    """A drill leaves it as much time as it took from it."""
    clock = Clock()
    pace = paced(clock)
    pace.measured(Undisturbed(reply_s=0.05, lag_s=0.02), deadline_s=60)
    for lag_s in (2.0, 2.0, 2.0, 2.0):
        pace.note(drill(lag_s=lag_s))
    await pace.ready()
    assert 1.0 < clock.slept[-1] <= 2.0
    for _ in range(8):
        pace.note(drill(lag_s=100.0))
    await pace.ready()
    assert clock.slept[-1] == MOST_PAUSE_S
    for _ in range(12):
        pace.note(drill(lag_s=0.02))
    clock.slept.clear()
    await pace.ready()
    assert clock.slept == []


@pytest.mark.parametrize("kind", [Kind.GATEWAY_BUSY, Kind.WITNESS_UNREACHABLE, Kind.GATEWAY_DOWN])
async def test_a_gateway_that_stays_busy_is_left_alone_after_one_pause(kind):
    """A few come to nothing, a pause, a few more, and the rest is not sent."""
    clock = Clock()
    said: list[str] = []
    pace = paced(clock, said)
    for _ in range(FEW):
        await pace.ready()
        assert clock.slept == []
        pace.note(drill(kind))
    assert pace.refusal() is None
    for _ in range(FEW):
        await pace.ready()
        assert pace.refusal() is None
        pace.note(drill(kind))
    assert clock.slept[0] == PAUSE_S
    refused = pace.refusal()
    assert refused is not None
    assert refused.kind is kind
    assert said == [f"{FEW} drills in a row say {kind}: pausing for {PAUSE_S:g} s"]


async def test_one_drill_that_comes_through_begins_the_count_anew():
    """So does not one that was refused before it was sent."""
    pace = paced(Clock())
    for _ in range(5):
        for _ in range(FEW - 1):
            pace.note(drill(Kind.GATEWAY_BUSY))
        pace.note(drill(Kind.HALTED, requests=0))
        pace.note(drill())
        await pace.ready()
    assert pace.refusal() is None


def test_a_deadline_below_the_undisturbed_reply_time_is_said():
    """Everything after it could only be late."""
    said: list[str] = []
    pace = paced(Clock(), said)
    pace.measured(Undisturbed(reply_s=4.2, lag_s=4.0), deadline_s=3)
    (sentence,) = said
    assert "4.2 s" in sentence
    assert "deadline of 3 s" in sentence
    pace.measured(Undisturbed(reply_s=0.2, lag_s=0.1), deadline_s=3)
    assert len(said) == 1
    pace.measured(Undisturbed(), deadline_s=3)
    assert "no reply" in said[-1]
