"""A whole daemon in a process of its own, as ``understudy run`` is, but for its pace and its clock.

    python -m tests.fakes.faulted_daemon CONFIG CLOCK

It looks at its ledger as often as a test wants, and its wall clock is as many seconds ahead of the
machine's as the file CLOCK says at that moment; APScheduler's is turned with it.
"""

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from apscheduler.schedulers import base
from apscheduler.triggers import interval

from chaos.clock import SystemClock
from supervisor.alerts import outbox
from supervisor.daemon import alerting, recorder, service
from supervisor.log import configure
from supervisor.settings.file import load_settings
from supervisor.stop import Stop, run


class TurnedClock(SystemClock):
    """A wall clock that a file turns; durations go on."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        """Tell the time as it is turned now."""
        return super().now() + timedelta(seconds=float(self._file.read_text()))


def turned_with(clock: TurnedClock) -> type[datetime]:
    """Make APScheduler's idea of the time, which it takes from no parameter."""

    class Turned(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None):
            return clock.now().astimezone(tz)

    return Turned


def main(config: Path, file: Path) -> int:
    """Run until SIGTERM."""
    configure(sys.stdout)
    clock = TurnedClock(file)
    base.datetime = interval.datetime = turned_with(clock)
    service.LOOK_EVERY = timedelta(seconds=0.2)
    recorder.FIRST_WAIT_S, recorder.LONGEST_WAIT_S = 0.05, 0.2
    alerting.BREATH_S, alerting.LOOK_EVERY_S = 0.05, 0.5
    outbox.LONGEST_PAUSE_S = outbox.LONGEST_ROUND_S = 0.5
    outbox.IDLE_S = 0.5
    daemon = service.Service(lambda: load_settings(config), "9.9", clock)

    async def command(stop: Stop) -> int:
        stop.watched()
        await daemon.run(stop.event, lambda _: None)
        return 0

    return run(command)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
