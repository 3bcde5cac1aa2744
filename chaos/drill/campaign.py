"""Several drills under one budget, a few at a time, each told as it begins and ends.

Invariant: stopping a campaign ends every running drill through its own ``finally``; no lease and
no task outlives it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from chaos.clock import Clock
from chaos.drill.drill import Drill, MayRun, Refusal, always, refused
from chaos.drill.events import DrillEnded, DrillStarted
from chaos.scenario.plan import DrillPlan

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A plan to carry out; *refusal* where there is no way to."""

    plan: DrillPlan
    refusal: Refusal | None = None


async def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """Plans to carry out.

    Attributes:
        drill: Carries one out. When its task is cancelled it returns what it has.
        concurrency: How many run at once; at most as many as the witness has lanes.
        may_run: The guard: asked right before each drill.
        prepare: Done once, before the first drill; stopping ends it too.
    """

    drill: Callable[[DrillPlan], Awaitable[Drill]]
    assignments: Sequence[Assignment]
    clock: Clock
    concurrency: int = 1
    may_run: MayRun = always
    prepare: Callable[[], Awaitable[None]] = _nothing

    async def run(
        self, stop: asyncio.Event | None = None
    ) -> AsyncGenerator[DrillStarted | DrillEnded, None]:
        """Carry everything out, and yield what happens; ends when all is done or *stop* is set."""
        events: asyncio.Queue[DrillStarted | DrillEnded | None] = asyncio.Queue()
        # Owned here: awaited below, whatever the listener does.
        running = asyncio.create_task(self._run(stop or asyncio.Event(), events), name="campaign")
        running.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            await running
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def _run(
        self, stop: asyncio.Event, events: "asyncio.Queue[DrillStarted | DrillEnded | None]"
    ) -> None:
        waiting = deque(self.assignments)
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            await _unless_stopped(self.prepare(), stopped)
            async with asyncio.TaskGroup() as workers:
                for number in range(max(1, self.concurrency)):
                    workers.create_task(
                        self._work(waiting, stopped, events), name=f"drill worker {number}"
                    )
        finally:
            stopped.cancel()

    async def _work(
        self,
        waiting: deque[Assignment],
        stopped: "asyncio.Task[bool]",
        events: "asyncio.Queue[DrillStarted | DrillEnded | None]",
    ) -> None:
        while waiting and not stopped.done():
            assignment = waiting.popleft()
            events.put_nowait(DrillStarted(assignment.plan))
            events.put_nowait(DrillEnded(await self._one(assignment, stopped)))

    async def _one(self, assignment: Assignment, stopped: "asyncio.Task[bool]") -> Drill:
        refusal = assignment.refusal or await self.may_run(assignment.plan)
        if refusal is not None:
            return refused(assignment.plan, refusal, self.clock.now())
        running = await _unless_stopped(self.drill(assignment.plan), stopped)
        return running.result()


async def _unless_stopped(
    work: Awaitable[_T], stopped: "asyncio.Task[bool]"
) -> "asyncio.Future[_T]":
    """Do *work*, and cancel it when the campaign is stopped; it has ended in any case."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not running.done():
            running.cancel()
            await asyncio.wait({running})
    if not running.cancelled():
        running.result()
    return running
