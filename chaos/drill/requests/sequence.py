"""Drill a fault that ends: one lease, and request after request before it, in it and after it.

One request is sent at a time, so that every attempt on the wire belongs to one of them. The fault
ends by the clock, also in the middle of a request, as an outage does.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from chaos.drill.drill import Refusal
from chaos.judge.evidence import ANSWERED
from chaos.judge.observation import ClientReply, Exchange, Stage
from chaos.scenario.plan import Course, DrillPlan
from chaos.witness.lease import Lease
from chaos.witness.wire_record import WireRecord

_ENDS_WITHIN_S = 1.0
"""How long an attempt may take to end after the client has its reply."""


@dataclass(slots=True)
class SequenceRun:
    """One run of a plan's course, and how far it has come.

    Attributes:
        ask: Sends the plan's request once.
        may_ask: The guard: asked right before each request.
        asked: Stage, time and reply of each request so far.
        refusal: Why the guard ended it; None if it did not.
    """

    plan: DrillPlan
    course: Course
    lease: Lease
    ask: Callable[[], Awaitable[ClientReply]]
    may_ask: Callable[[], Awaitable[Refusal | None]]
    asked: list[tuple[Stage, float, ClientReply]] = field(default_factory=list)
    refusal: Refusal | None = None
    down_at_s: float | None = None
    well_at_s: float | None = None

    async def go(self) -> None:
        """Send request after request, as long as somebody learns from it."""
        self.lease.striking = False
        if not await self._until_the_primary_serves(Stage.BEFORE):
            return
        await self._wait_for_the_next()
        self._begins()
        end = asyncio.get_running_loop().call_later(self.course.down_s, self._ends)
        try:
            while self.well_at_s is None and await self._once(Stage.DOWN):
                await self._wait_for_the_next()
        finally:
            end.cancel()
            self.lease.striking = False
        if self.refusal is None:
            await self._until_the_primary_serves(Stage.AFTER)

    def exchanges(self, wire: Sequence[WireRecord]) -> tuple[Exchange, ...]:
        """Give each request its attempts: those that began before the next one was sent."""
        ends = [*(at_s for _, at_s, _ in self.asked[1:]), float("inf")][: len(self.asked)]
        return tuple(
            Exchange(
                stage,
                at_s,
                reply,
                tuple(record for record in wire if at_s <= record.started_at_s < end_s),
            )
            for (stage, at_s, reply), end_s in zip(self.asked, ends, strict=True)
        )

    def _begins(self) -> None:
        self.down_at_s, self.lease.striking = time.monotonic(), True

    def _ends(self) -> None:
        self.well_at_s, self.lease.striking = time.monotonic(), False

    async def _until_the_primary_serves(self, stage: Stage) -> bool:
        """Ask until the primary has served, or has had its time; say whether it has."""
        began_s = self.well_at_s if self.well_at_s is not None else time.monotonic()
        while True:
            before = len(self.lease.attempts)
            if not await self._once(stage):
                return False
            if await self._primary_served(before):
                return True
            if time.monotonic() + self._pause_s() - began_s > self.course.recover_within_s:
                return False
            await self._wait_for_the_next()

    async def _once(self, stage: Stage) -> bool:
        """Send one request, if the guard lets it; say whether it did."""
        self.refusal = await self.may_ask()
        if self.refusal is not None:
            return False
        at_s = time.monotonic()
        self.asked.append((stage, at_s, await self.ask()))
        return True

    async def _primary_served(self, before: int) -> bool:
        """Tell whether the primary gave the answer, by the attempts after the first *before*."""
        if self.lease.in_flight:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await self.lease.idle.wait()
        primary = self.plan.hops[0].group
        records = [attempt.record() for attempt in self.lease.attempts[before:]]
        return any(r.group == primary and r.outcome in ANSWERED for r in records)

    def _pause_s(self) -> float:
        """Say how long it is until the next request is due."""
        _, last_s, _ = self.asked[-1]
        return max(last_s + self.course.every_s - time.monotonic(), 0.0)

    async def _wait_for_the_next(self) -> None:
        await asyncio.sleep(self._pause_s())
