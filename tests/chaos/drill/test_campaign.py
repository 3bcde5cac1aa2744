"""Several drills: a few at a time, guarded, and stopped in order."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from chaos.clock import SystemClock
from chaos.drill.campaign import Assignment, Campaign
from chaos.drill.drill import NOTHING_YET, Drill, Refusal
from chaos.drill.events import DrillEnded, DrillStarted
from chaos.judge.check import Kind
from chaos.judge.observation import Observation
from chaos.judge.verdict import Outcome, Verdict
from tests.fakes.drilling import GATEWAY, honest, scenario
from tests.fakes.plans import planner


class Drilling:
    """Drills that end when they are told to; stopped, they return what they have."""

    def __init__(self):
        self.running = self.most = self.stopped = 0
        self.go = asyncio.Event()
        self.changed = asyncio.Event()

    async def drill(self, plan):
        """Wait for ``go``, counting how many wait with us."""
        self.running += 1
        self.most = max(self.most, self.running)
        self.changed.set()
        outcome = Outcome.PASSED
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            outcome = Outcome.ABORTED
        finally:
            self.running -= 1
        return Drill(
            plan, Verdict(outcome, None, ()), Observation(NOTHING_YET), datetime.now(UTC), 1
        )

    async def until_running(self, count):
        """Wait until so many run."""
        while self.running < count:
            self.changed.clear()
            await self.changed.wait()


def campaign(drilling, count, **options):
    """A campaign of the same scenario several times."""
    made = planner(GATEWAY)
    assignments = [Assignment(made.plan(scenario())) for _ in range(count)]
    return Campaign(drilling.drill, assignments, SystemClock(), **options)


async def events_of(campaign, stop=None):
    """Everything that happens."""
    return [event async for event in campaign.run(stop)]


def ended(events):
    """The drills that ended."""
    return [event.drill for event in events if isinstance(event, DrillEnded)]


async def test_no_more_drills_run_at_once_than_allowed():
    """Lanes and engines are few."""
    drilling = Drilling()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(events_of(campaign(drilling, 7, concurrency=3)))
        await drilling.until_running(3)
        drilling.go.set()
    assert (len(ended(running.result())), drilling.most) == (7, 3)


async def test_each_drill_begins_before_it_ends_under_one_id():
    """A listener can join both, whatever runs beside."""
    drilling = Drilling()
    drilling.go.set()
    events = await events_of(campaign(drilling, 5, concurrency=2))
    begun: list[str] = []
    for event in events:
        if isinstance(event, DrillStarted):
            begun.append(event.plan.id)
        else:
            assert event.drill.plan.id in begun
    assert len(set(begun)) == 5


async def test_stopping_aborts_what_runs_and_starts_nothing_more():
    """Every running drill ends through its own finally, and is reported as aborted."""
    drilling, stop = Drilling(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(events_of(campaign(drilling, 5, concurrency=2), stop))
        await drilling.until_running(2)
        stop.set()
    outcomes = [drill.verdict.outcome for drill in ended(running.result())]
    assert outcomes == [Outcome.ABORTED] * 2
    assert (drilling.stopped, drilling.running) == (2, 0)


async def test_a_listener_that_leaves_ends_the_campaign():
    """No drill goes on that nobody hears of."""
    drilling = Drilling()
    async with aclosing(campaign(drilling, 5, concurrency=2).run()) as events:
        assert isinstance(await anext(events), DrillStarted)
        await drilling.until_running(2)
    assert (drilling.stopped, drilling.running) == (2, 0)


async def test_a_refused_drill_is_inconclusive_with_the_reason():
    """What was skipped is counted, and says why."""

    async def may_run(_):
        return Refusal(Kind.ENGINE_BUSY, "users wait", "later")

    drilling = Drilling()
    (drill,) = ended(await events_of(campaign(drilling, 1, may_run=may_run)))
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.INCONCLUSIVE, Kind.ENGINE_BUSY)
    assert drill.verdict.findings[0].message == "users wait"
    assert drilling.most == 0


def test_the_little_gateway_of_these_tests_is_honest():
    """The fake that drills run against walks its chain unless told otherwise."""
    assert honest().falls_back
