"""How fast a gateway may be drilled, so that no drill becomes its incident.

A gateway goes on walking its chain after a client has left. Whoever sends the next drill at once
finds it busier, gives up sooner, and leaves more behind: so after a drill that was given up
nothing begins until its late attempts have ended, pauses grow with the gateway's own delay, and a
gateway that stays busy is left alone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from chaos.drill.drill import Drill, Refusal
from chaos.judge.check import Kind

FEW = 4
"""Busy drills in a row after which the campaign pauses; as many again, and it stops."""

PAUSE_S = 15.0
LATE_WITHIN_S = 60.0
"""How long late attempts are waited for at most: LiteLLM's longest wait between two tries."""

QUIET_S = 0.5
"""No late attempt for so long, or for three replies of this gateway, and they have ended."""

SLOW = 3.0
"""So many times its undisturbed delay and it is slow."""

SLOW_LEAST_S = 0.25
MOST_PAUSE_S = 10.0
BUSY = frozenset({Kind.GATEWAY_BUSY, Kind.WITNESS_UNREACHABLE, Kind.GATEWAY_DOWN})


class LateCounts(Protocol):
    """What the witness knows of attempts that came after their drill had ended."""

    last_late_at_s: float


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """One request without a fault, before any drill.

    Attributes:
        reply_s: How long the whole reply took; None if it did not come.
        lag_s: How long the gateway took before it contacted the hop.
    """

    reply_s: float | None = None
    lag_s: float | None = None


class Pace:
    """Decides when the next drill may begin.

    Args:
        late: Of the witness.
        say: Takes progress, for people.
        sleep: Waits; tests hand in another.
        now: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        late: LateCounts,
        *,
        say: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.undisturbed = Undisturbed()
        self._late = late
        self._say = say
        self._sleep = sleep
        self._now = now
        self._gate = asyncio.Lock()
        self._lag_s = 0.0
        self._busy = 0
        self._kind = Kind.GATEWAY_BUSY
        self._paused = False

    def measured(self, undisturbed: Undisturbed, *, deadline_s: float) -> None:
        """Take the gateway's own reply time, and say a deadline that it cannot keep."""
        self.undisturbed = undisturbed
        reply_s = undisturbed.reply_s
        if reply_s is None:
            self._say("the gateway gave no reply to an undisturbed request")
        elif reply_s > deadline_s:
            self._say(
                f"the gateway takes {reply_s:.1f} s for an undisturbed reply: longer than the "
                f"deadline of {deadline_s:g} s, so drills will say gateway_busy; raise --deadline"
            )

    async def ready(self) -> None:
        """Wait until the next drill may begin."""
        async with self._gate:
            if self._busy >= FEW and not self._paused:
                self._paused, self._busy = True, 0
                self._say(f"{FEW} drills in a row say {self._kind}: pausing for {PAUSE_S:g} s")
                await self._sleep(PAUSE_S)
                await self._until_quiet(self._now())
        pause_s = self._pause_s()
        if pause_s > 0:
            await self._sleep(pause_s)

    async def settle(self) -> None:
        """Wait until the late attempts of a drill that was given up have ended."""
        ended_s = self._now()  # of several that were given up together, each waits from its end
        async with self._gate:
            await self._until_quiet(ended_s)

    def note(self, drill: Drill) -> None:
        """Take what a drill has shown of the gateway."""
        if drill.requests == 0:
            return
        kind = drill.verdict.kind
        self._busy = self._busy + 1 if kind in BUSY else 0
        self._kind = kind if kind is not None and kind in BUSY else self._kind
        lag_s = drill.seen.load.lag_s
        if lag_s is not None:
            self._lag_s = (self._lag_s + lag_s) / 2

    def refusal(self) -> Refusal | None:
        """Refuse every further drill of a gateway that stayed busy after a pause."""
        if self._busy < FEW or not self._paused:
            return None
        if self._kind is not Kind.GATEWAY_BUSY:
            return Refusal(
                self._kind,
                f"{FEW} drills in a row came to nothing, and after a pause {self._busy} more",
                "Look at what these say; nothing else can be drilled until it is put right.",
            )
        return Refusal(
            Kind.GATEWAY_BUSY,
            f"{FEW} drills in a row came to nothing, a pause, and then {self._busy} more: the "
            "gateway is busier than the deadline allows, and drills would only add to it",
            "Drill at a quieter time, raise --deadline, or lower --concurrency; a gateway that is "
            "busy without users may still work on requests whose clients have left.",
        )

    def _pause_s(self) -> float:
        """Leave the gateway as much time for others as a drill waits for it."""
        usual_s = self.undisturbed.lag_s
        if usual_s is None or self._lag_s <= SLOW * usual_s + SLOW_LEAST_S:
            return 0.0
        return min(self._lag_s, MOST_PAUSE_S)

    async def _until_quiet(self, began_s: float) -> None:
        quiet_s = max(QUIET_S, 3 * (self.undisturbed.reply_s or 0.0))
        while self._now() < began_s + LATE_WITHIN_S:
            rest_s = max(began_s, self._late.last_late_at_s) + quiet_s - self._now()
            if rest_s <= 0:
                return
            await self._sleep(rest_s)
