"""How long this process stood still: a suspended machine, SIGSTOP, a core that others took.

Client and witness are both here. Who stood still has seen neither what the gateway did meanwhile
nor when, and is no judge of it.
"""

import asyncio
import time
from types import TracebackType
from typing import Self

EVERY_S = 0.25


class Standstill:
    """Measures while its context is entered, on the running event loop.

    Attributes:
        longest_s: How much later than asked the loop came back, at the worst.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # What ends a drill may run before the timer that is overdue as well.
        self._note()

    def _wait(self) -> None:
        self._due_s = time.monotonic() + EVERY_S
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._look)

    def _look(self) -> None:
        self._note()
        self._wait()

    def _note(self) -> None:
        self.longest_s = max(self.longest_s, time.monotonic() - self._due_s)
