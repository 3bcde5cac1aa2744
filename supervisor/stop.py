"""Run one command on an event loop, and end it in order at Ctrl-C, SIGTERM or SIGHUP.

Invariant: whatever a command holds is let go through its own ``finally``; the loop is left only
when nothing is running any more.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

import uvloop


class Stop:
    """A wish to end, from a signal.

    Attributes:
        event: Set at the first signal.
        signal_number: Which signal it was; None as long as there was none.
    """

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.signal_number: int | None = None
        self._watched = False

    def watched(self) -> None:
        """From now on the command watches ``event`` itself, because it has something to report.

        Until then the first signal cancels it; afterwards only a second one does.
        """
        self._watched = True

    def set(self, number: int) -> bool:
        """Wish to end because of signal *number*; tell whether the command is to be cancelled."""
        again = self.event.is_set()
        self.signal_number = number
        self.event.set()
        return again or not self._watched

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells have it."""
        return 128 + (self.signal_number or 0)


def run(
    command: Callable[[Stop], Awaitable[int]],
    *,
    stopped: int | None = None,
    ends_at_hangup: bool = True,
) -> int:
    """Run *command* to its end and return its exit code.

    Args:
        stopped: Exit code of a command that was cancelled; by default 129, 130 or 143.
        ends_at_hangup: A terminal that goes away ends it, unless it was started by ``nohup``;
            False for a command to which SIGHUP means something else.
    """
    signals = [signal.SIGINT, signal.SIGTERM]
    if ends_at_hangup and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return uvloop.run(_run(command, stopped, signals))


async def _run(
    command: Callable[[Stop], Awaitable[int]],
    stopped: int | None,
    signals: Sequence[signal.Signals],
) -> int:
    stop = Stop()
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()

    def wish(number: int) -> None:
        if stop.set(number) and this is not None:
            this.cancel()

    for number in signals:
        loop.add_signal_handler(number, wish, number)
    try:
        return await command(stop)
    except asyncio.CancelledError:
        return stop.exit_code if stopped is None else stopped
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
