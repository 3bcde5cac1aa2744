"""What the daemon reports to systemd: how far its start is, and then, again and again, its life.

Invariant: the watchdog is fed only by a turn of the event loop that the scheduler has caused. A
timer of its own would go on while nothing is drilled any more.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from supervisor.daemon.board import Board
from supervisor.headline import headline
from supervisor.systemd import Systemd

REPORT_EVERY = timedelta(seconds=5)
PATIENCE_S = 60.0
"""A step of the start that shows no sign of life for this long is given up."""


class Liveness:
    """The daemon as systemd sees it.

    Attributes:
        wake: To be called by the scheduler, every ``every``.
    """

    def __init__(self, systemd: Systemd) -> None:
        self._systemd = systemd
        self._ready = False
        self._alive, self._changed = asyncio.Event(), asyncio.Event()

    def wake(self) -> None:
        """Report soon; called by the scheduler."""
        self._alive.set()
        self._changed.set()

    @property
    def every(self) -> timedelta:
        """How often it is reported: well before the watchdog's patience ends."""
        if self._systemd.watchdog_s is None:
            return REPORT_EVERY
        return min(REPORT_EVERY, timedelta(seconds=self._systemd.watchdog_s / 4))

    @contextmanager
    def patiently(self, what: str) -> Iterator[None]:
        """Ask for patience while a step of the start works in a thread."""
        loop = asyncio.get_running_loop()
        again: list[asyncio.TimerHandle] = []

        def ask() -> None:
            self._systemd.starting(what, PATIENCE_S)
            again[:] = [loop.call_later(PATIENCE_S / 3, ask)]

        ask()
        try:
            yield
        finally:
            again[0].cancel()

    async def report(self, board: Board) -> None:
        """Report that everything listens, and then that the daemon lives and how all is."""
        self._systemd.ready(headline(await board.status()))
        self._ready = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._report_life(), name="report life")
            tasks.create_task(self._report_status(board), name="report status")

    async def _report_life(self) -> None:
        # Not after a look into the store: one that is away is no reason to be restarted.
        while True:
            await self._alive.wait()
            self._alive.clear()
            self._systemd.alive()

    async def _report_status(self, board: Board) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._systemd.status(headline(await board.status()))

    def reload(self, reload: Callable[[], str | None]) -> None:
        """Report that *reload* begins and ends; it returns why it was refused, or None."""
        if not self._ready:
            # The end of a reload is reported as the end of a start is.
            reload()
            return
        self._systemd.reloading()
        refused = reload()
        self._systemd.ready(
            f"the new configuration was refused: {refused}" if refused else "configuration reloaded"
        )

    def stopping(self) -> None:
        """Report that the daemon ends by itself."""
        self._systemd.stopping()
