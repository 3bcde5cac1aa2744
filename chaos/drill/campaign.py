"""Several drills under one budget, a few at a time, each reported as it ends.

Invariant: stopping a campaign ends every running drill through its own ``finally``; no lease,
no twin and no task outlives it.
"""

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.drill.driller import NOTHING_YET, Drill, Driller
from chaos.drill.injector import Injector
from chaos.judge.check import Finding, Kind, Result
from chaos.judge.observation import Observation
from chaos.judge.verdict import Outcome, Verdict
from chaos.scenario.expand import Scenario
from chaos.scenario.plan import make_plan

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a scenario may not be drilled now.

    Attributes:
        kind: One of the reasons of ``Kind``.
    """

    kind: Kind
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A scenario and the way it is drilled; *refusal* where there is no way."""

    scenario: Scenario
    injector: Injector
    refusal: Refusal | None = None


MayRun = Callable[[Scenario], Awaitable[Refusal | None]]


async def always(_: Scenario) -> Refusal | None:
    """Refuse nothing: the guard of a campaign that has none."""
    return None


@dataclass(slots=True)
class Campaign:
    """Drills to run.

    Attributes:
        concurrency: How many run at once; at most as many as the witness has lanes.
        may_run: The guard: asked right before each drill.
        stop: Set it to end the campaign; running drills are aborted.
        on_start, on_end: Told about each drill, for progress and reports.
    """

    driller: Driller
    assignments: Sequence[Assignment]
    concurrency: int = 1
    may_run: MayRun = always
    on_start: Callable[[Scenario], None] | None = None
    on_end: Callable[[Drill], None] | None = None

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Run everything; returns when all is done or *stop* was set."""
        waiting = deque(self.assignments)
        stop = stop or asyncio.Event()
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            async with asyncio.TaskGroup() as workers:
                for number in range(max(1, self.concurrency)):
                    workers.create_task(
                        self._work(waiting, stop, stopped), name=f"drill worker {number}"
                    )
        finally:
            stopped.cancel()

    async def _work(
        self, waiting: deque[Assignment], stop: asyncio.Event, stopped: "asyncio.Task[bool]"
    ) -> None:
        while waiting and not stop.is_set():
            assignment = waiting.popleft()
            if self.on_start:
                self.on_start(assignment.scenario)
            drill = await self._one(assignment, stopped)
            if self.on_end:
                self.on_end(drill)

    async def _one(self, assignment: Assignment, stopped: "asyncio.Task[bool]") -> Drill:
        refusal = assignment.refusal or await self.may_run(assignment.scenario)
        if refusal is not None:
            return refused(self.driller, assignment, refusal)
        running = asyncio.create_task(
            self.driller.drill(assignment.scenario, assignment.injector), name="drill"
        )
        try:
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                return self._result(assignment, running)
            running.cancel()
            await asyncio.wait({running})
            return self.driller.aborted(
                assignment.scenario, assignment.injector, "the campaign was stopped"
            )
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait({running})

    def _result(self, assignment: Assignment, ended: "asyncio.Task[Drill]") -> Drill:
        """Take the drill, or what is left of one that raised: the other rows are not its fault."""
        error = ended.exception()
        if error is None:
            return ended.result()
        if not isinstance(error, Exception):
            raise error
        # Neither here nor in the log what it says: it may quote a header with a key in it.
        frames = traceback.extract_tb(error.__traceback__)
        where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        what = f"{type(error).__name__}{where}"
        _LOG.error(
            "the drill %s broke off: %s\n%s",
            assignment.scenario.key,
            what,
            "".join(traceback.format_list(frames)),
        )
        return broken_off(self.driller, assignment, what)


def broken_off(driller: Driller, assignment: Assignment, what: str) -> Drill:
    """Make the record of a drill that Understudy itself could not carry out: aborted."""
    drill = driller.aborted(assignment.scenario, assignment.injector, what)
    finding = Finding(
        check="drill",
        result=Result.UNKNOWN,
        message=f"The drill broke off: {what}.",
        remedy="This is a defect of Understudy: please report it with the lines of the log.",
    )
    return replace(drill, verdict=Verdict(Outcome.ABORTED, None, (finding,)))


def refused(driller: Driller, assignment: Assignment, refusal: Refusal) -> Drill:
    """Make the record of a drill that was not run: inconclusive, with the reason."""
    plan = make_plan(
        assignment.scenario,
        assignment.injector.topology,
        driller.catalogue,
        driller.options,
        rng=driller.rng,
        injector=assignment.injector.name,
    )
    finding = Finding(
        check="may_run",
        result=Result.UNKNOWN,
        message=refusal.reason,
        kind=refusal.kind,
        remedy=refusal.remedy,
    )
    verdict = Verdict(Outcome.INCONCLUSIVE, refusal.kind, (finding,))
    return Drill(plan, verdict, Observation(NOTHING_YET), driller.clock.now(), 0)
