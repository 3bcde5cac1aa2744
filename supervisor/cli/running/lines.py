"""What a log shows of running drills: a line now and then, and at once when one has failed."""

import asyncio
import time
from collections.abc import Callable

from chaos.drill.report import DrillRow
from chaos.judge.verdict import Outcome
from supervisor.cli.running.time_left import TimeLeft

EVERY_S = 30.0
FAILURES_EVERY_S = 10.0


class ProgressLines:
    """Says how far a campaign is.

    Args:
        say: Takes a line.
        left: Knows how many drills there are.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        left: TimeLeft,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._left = left
        self._now = now
        self._failed = 0
        self._last_s = now()
        self._failure_said_s = -FAILURES_EVERY_S
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Say a line every so often until ``stop``, also while one drill hangs."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(EVERY_S, self._again)

    def stop(self) -> None:
        """Say nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def ended(self, row: DrillRow) -> None:
        """A drill has ended."""
        failed = row.outcome is Outcome.FAILED and row.known_gap is None
        self._failed += failed
        if failed and self._now() - self._failure_said_s >= FAILURES_EVERY_S:
            self._failure_said_s = self._now()
            self._tell(f": {row.scenario.key} {row.kind}")
        else:
            self.tick()

    def tick(self) -> None:
        """Say a line if it is time to."""
        if self._left.planned and self._now() - self._last_s >= EVERY_S:
            self._tell()

    def _again(self) -> None:
        self.tick()
        self.start()

    def _tell(self, what: str = "") -> None:
        self._last_s = self._now()
        parts = [f"{self._left.ended} of {self._left.planned} drills"]
        if self._failed:
            parts.append(f"{self._failed} failed")
        if self._left.words:
            parts.append(self._left.words)
        self._say(", ".join(parts) + what)
