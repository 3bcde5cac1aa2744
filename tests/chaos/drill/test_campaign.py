"""Several drills: a few at a time, guarded, and stopped in order."""

import asyncio
import random
from datetime import UTC, datetime
from typing import cast

import aiohttp

from chaos.clock import SystemClock
from chaos.drill.campaign import Assignment, Campaign, Refusal
from chaos.drill.driller import NOTHING_YET, Drill, Driller
from chaos.drill.injector import Injector
from chaos.judge.check import Kind
from chaos.judge.observation import Observation
from chaos.judge.verdict import Outcome, Verdict
from chaos.scenario.plan import DrillOptions
from tests.fakes.drilling import CATALOGUE, GATEWAY, honest, scenario


class FakeInjector:
    """Names itself and its gateway; the driller below never routes."""

    name = "redirect"
    topology = GATEWAY
    stripped = ()


class CountingDriller(Driller):
    """A driller whose drills end when they are told to."""

    __slots__ = ()
    running = 0
    most = 0
    cancelled = 0
    go: asyncio.Event

    async def drill(self, scenario, injector):
        """Wait for ``go``, counting how many wait with us."""
        cls = type(self)
        cls.running += 1
        cls.most = max(cls.most, cls.running)
        try:
            await cls.go.wait()
            return Drill(self._plan(scenario, injector, self.options), *_passed())
        except asyncio.CancelledError:
            cls.cancelled += 1
            raise
        finally:
            cls.running -= 1


def _passed():
    return Verdict(Outcome.PASSED, None, ()), Observation(NOTHING_YET), datetime.now(UTC)


def campaign(count, **options):
    """A campaign of *count* drills that wait."""
    CountingDriller.running = CountingDriller.most = CountingDriller.cancelled = 0
    CountingDriller.go = asyncio.Event()
    driller = CountingDriller(
        session=cast(aiohttp.ClientSession, None),
        catalogue=CATALOGUE,
        checks=(),
        options=DrillOptions(),
        clock=SystemClock(),
        rng=random.Random(1),
        engines={},
    )
    ended: list[Drill] = []
    one = Assignment(scenario(), cast(Injector, FakeInjector()))
    return Campaign(driller, [one] * count, on_end=ended.append, **options), ended


async def test_no_more_drills_run_at_once_than_allowed():
    """Lanes and engines are few."""
    made, ended = campaign(7, concurrency=3)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        while CountingDriller.running < 3:
            await asyncio.sleep(0)
        CountingDriller.go.set()
    assert (len(ended), CountingDriller.most) == (7, 3)


async def test_stopping_aborts_what_runs_and_starts_nothing_more():
    """Every running drill ends through its own finally, and is reported as aborted."""
    made, ended = campaign(5, concurrency=2)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run(stop))
        while CountingDriller.running < 2:
            await asyncio.sleep(0)
        stop.set()
    assert [drill.verdict.outcome for drill in ended] == [Outcome.ABORTED] * 2
    assert (CountingDriller.cancelled, CountingDriller.running) == (2, 0)


async def test_a_drill_that_raises_takes_no_other_with_it(monkeypatch, caplog):
    """It is aborted with the place of its error, which may quote a key and is not repeated."""
    made, ended = campaign(3)
    CountingDriller.go.set()
    good, secret = CountingDriller.drill, "sk-" + "secret"
    raised: list[bool] = []

    async def once_bad(self, scenario, injector):
        if not raised:
            raised.append(True)
            raise ValueError(f"bad header {secret}")
        return await good(self, scenario, injector)

    monkeypatch.setattr(CountingDriller, "drill", once_bad)
    await made.run()
    aborted, *others = ended
    assert [drill.verdict.outcome for drill in others] == [Outcome.PASSED] * 2
    assert aborted.verdict.outcome is Outcome.ABORTED
    assert "ValueError at test_campaign.py" in aborted.verdict.findings[0].message
    assert aborted.plan.scenario.key in caplog.text
    assert secret not in caplog.text + aborted.verdict.findings[0].message


async def test_a_refused_drill_is_inconclusive_with_the_reason():
    """What was skipped is counted, and says why."""

    async def may_run(_):
        return Refusal(Kind.ENGINE_BUSY, "users wait", "later")

    made, ended = campaign(1, may_run=may_run)
    await made.run()
    (drill,) = ended
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.INCONCLUSIVE, Kind.ENGINE_BUSY)
    assert drill.verdict.findings[0].message == "users wait"
    assert CountingDriller.most == 0


def test_the_little_gateway_of_these_tests_is_honest():
    """The fake that drills run against walks its chain unless told otherwise."""
    assert honest().falls_back
