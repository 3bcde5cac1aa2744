"""Periodic wake-ups, by APScheduler. A job only calls a function that returns at once.

What is due is decided from the store, so a suspended laptop or a clock that jumps skips nothing
and floods nothing: however many wake-ups were missed, the next one looks once.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

JOB_DEFAULTS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
"""A late wake-up still wakes, several become one, and none overtakes itself."""

SLACK_S = 1.0
"""A clock that was set back by less needs no care."""

_WATCHED = {
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "overlapped",
    EVENT_JOB_ERROR: "failed",
}


class _Scheduler(AsyncIOScheduler):  # type: ignore[misc]  # it has no types
    """Begins anew after a clock was set back, where every job would wait for the old time."""

    def _process_jobs(self) -> float | None:
        wait_s: float | None = super()._process_jobs()
        jobs = self.get_jobs()
        shortest_s = min((job.trigger.interval_length for job in jobs), default=0.0)
        if wait_s is None or wait_s <= shortest_s + SLACK_S:
            return wait_s
        for job in jobs:
            job.reschedule(IntervalTrigger(seconds=job.trigger.interval_length, timezone=UTC))
        return shortest_s


class Clockwork:
    """The wake-ups of a daemon.

    Attributes:
        counts: How many were missed, overlapped or failed; all stay 0 in good order.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        # Only here are the defaults read: not from add_job, nor from the jobs' store.
        self._scheduler = _Scheduler(job_defaults=JOB_DEFAULTS, timezone=UTC)
        mask = EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_ERROR
        self._scheduler.add_listener(self._note, mask)

    def every(self, period: timedelta, name: str, call: Callable[[], None]) -> None:
        """Call *call* each *period*; again under one *name* replaces the earlier one."""

        # A plain function would be run in a thread, where an Event must not be set.
        async def job() -> None:
            call()

        self._scheduler.add_job(
            job,
            IntervalTrigger(seconds=period.total_seconds(), timezone=UTC),
            id=name,
            name=name,
            replace_existing=True,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Wake until exit; must be entered on the event loop."""
        self._scheduler.start()
        try:
            yield
        finally:
            # Without waiting: it would cancel what runs, and nothing that runs takes time.
            self._scheduler.shutdown(wait=False)

    def _note(self, event: JobEvent) -> None:
        self.counts[_WATCHED[event.code]] += 1
