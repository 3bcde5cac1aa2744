"""Periodic wake-ups."""

import asyncio
import threading
from datetime import timedelta

from supervisor.schedule.clockwork import JOB_DEFAULTS, Clockwork

SOON = timedelta(milliseconds=20)


async def test_it_wakes_again_and_again_on_the_loops_own_thread():
    """An Event may be set only there."""
    clockwork, woken, threads = Clockwork(), asyncio.Queue[None](), set()

    def wake() -> None:
        threads.add(threading.current_thread())
        woken.put_nowait(None)

    clockwork.every(SOON, "look", wake)
    with clockwork.running():
        for _ in range(3):
            await woken.get()
    assert threads == {threading.current_thread()}
    assert not clockwork.counts


async def test_it_ends_with_its_context():
    """Nothing wakes afterwards."""
    clockwork, woken = Clockwork(), []
    clockwork.every(SOON, "look", lambda: woken.append(1))
    with clockwork.running():
        pass
    await asyncio.sleep(3 * SOON.total_seconds())
    assert woken == []


async def test_the_defaults_are_set_where_they_are_read():
    """On the jobs themselves: late ones still run, several become one."""
    clockwork = Clockwork()
    clockwork.every(timedelta(hours=1), "look", lambda: None)
    with clockwork.running():
        (job,) = clockwork._scheduler.get_jobs()
        assert {name: getattr(job, name) for name in JOB_DEFAULTS} == JOB_DEFAULTS


async def test_a_name_is_one_wake_up():
    """Under the same name, a new period replaces the old one."""
    clockwork = Clockwork()
    clockwork.every(timedelta(hours=1), "look", lambda: None)
    clockwork.every(timedelta(hours=2), "look", lambda: None)
    with clockwork.running():
        (job,) = clockwork._scheduler.get_jobs()
        assert job.trigger.interval == timedelta(hours=2)


async def test_a_wake_up_that_fails_is_counted():
    """And comes again."""
    clockwork, failed = Clockwork(), asyncio.Queue[None]()

    def fail() -> None:
        failed.put_nowait(None)
        raise ValueError

    clockwork.every(SOON, "look", fail)
    with clockwork.running():
        await failed.get()
        await failed.get()
        assert clockwork.counts["failed"] >= 1


async def test_a_clock_that_was_set_back_delays_no_wake_up():
    """Its jobs are all due by the old time then, a day ahead."""
    clockwork, woken = Clockwork(), asyncio.Queue[None]()
    clockwork.every(SOON, "look", lambda: woken.put_nowait(None))
    clockwork.every(timedelta(hours=1), "tidy up", lambda: None)
    with clockwork.running():
        await woken.get()
        for job in clockwork._scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time + timedelta(days=1))
        for _ in range(3):
            await woken.get()
        look, tidy = clockwork._scheduler.get_jobs()
        assert look.trigger.interval == SOON
        assert tidy.next_run_time - look.next_run_time < timedelta(hours=2)
