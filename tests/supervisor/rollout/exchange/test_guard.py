"""The host is watched while an engine starts."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from supervisor.probes.kinds.host import HostNumbers, Pressure, Room
from supervisor.rollout.exchange import guard
from supervisor.rollout.exchange.guard import GIB, Guard, breach, read_host
from tests.patience import PATIENCE_S


def numbers(free_gib: float | None = 20.0, stalled: float | None = None) -> HostNumbers:
    """A machine of 119 GiB with so much of it available."""
    return HostNumbers(
        memory=None if free_gib is None else Room(119 * GIB, int(free_gib * GIB)),
        memory_pressure=None if stalled is None else Pressure(1.0, stalled),
    )


def telling(*told: HostNumbers) -> Iterator[HostNumbers]:
    """Tell these one after the other, and the last of them on and on."""
    yield from told
    while True:
        yield told[-1]


@pytest.mark.parametrize(
    ("given", "floor", "why"),
    [
        (numbers(20), 1.0, ""),
        (numbers(1), 1.0, ""),
        (
            numbers(0.5),
            1.0,
            "512.0 MiB of 119.0 GiB of memory are available, and the floor is 1 GiB",
        ),
        (
            numbers(2),
            2.5,
            "2.0 GiB of 119.0 GiB of memory are available, and the floor is 2.5 GiB",
        ),
        (numbers(20, 0.5), 1.0, ""),
        (numbers(20, 0.51), 1.0, "all work waited for memory in 51% of the last ten seconds"),
        (numbers(None, 0.9), 1.0, "all work waited for memory in 90% of the last ten seconds"),
        (numbers(None), 1.0, ""),
        (HostNumbers(memory_pressure=Pressure(1.0, None)), 1.0, ""),
        (numbers(0, 1.0), 0.0, ""),
    ],
)
def test_the_engine_has_to_go_below_the_floor_or_where_all_work_waits(given, floor, why):
    """Exactly at either limit it may stay; what is not known is no reason; a floor of 0 lets it."""
    assert breach(given, floor) == why


async def test_it_kills_once_and_keeps_why(monkeypatch: pytest.MonkeyPatch):
    """Then it looks no more, and the least that it saw is told."""
    monkeypatch.setattr(guard, "EVERY_S", 0)
    told = telling(numbers(20), numbers(3), numbers(9), numbers(None), numbers(0.5), numbers(7))
    killed: list[str] = []
    watching = Guard(1.0, lambda: next(told))
    async with asyncio.timeout(PATIENCE_S):
        await watching.watch(lambda: killed.append(watching.why))
    assert killed == [watching.why]
    assert watching.why.startswith("512.0 MiB of 119.0 GiB")
    assert watching.least_bytes == GIB // 2
    assert [free // GIB for _, free in watching.samples] == [20, 3, 9, 0]
    assert next(told) == numbers(7)


async def test_it_looks_at_once(monkeypatch: pytest.MonkeyPatch):
    """A machine may wedge before half a second is over."""
    monkeypatch.setattr(guard, "EVERY_S", PATIENCE_S)
    killed: list[bool] = []
    async with asyncio.timeout(PATIENCE_S / 2):
        await Guard(1.0, lambda: numbers(0)).watch(lambda: killed.append(True))
    assert killed == [True]


async def test_it_watches_until_it_is_cancelled(monkeypatch: pytest.MonkeyPatch):
    """With nothing to kill there is no reason, and the least memory is known all the same."""
    monkeypatch.setattr(guard, "EVERY_S", 0)
    told, enough = telling(numbers(20), numbers(9), numbers(12)), asyncio.Event()
    looks = 0

    def read() -> HostNumbers:
        nonlocal looks
        looks += 1
        if looks == 10:
            enough.set()
        return next(told)

    killed: list[bool] = []
    watching = Guard(1.0, read)
    task = asyncio.ensure_future(  # noqa: TID251 -- cancelled below
        watching.watch(lambda: killed.append(True))
    )
    async with asyncio.timeout(PATIENCE_S):
        await enough.wait()
    assert not task.done()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert (killed, watching.why, watching.least_bytes) == ([], "", 9 * GIB)


async def test_what_was_seen_is_kept_for_ten_minutes(monkeypatch: pytest.MonkeyPatch):
    """A start that takes for hours does not fill the memory that it watches."""
    monkeypatch.setattr(guard, "EVERY_S", 0)
    told = telling(*[numbers(20)] * 1300, numbers(0))
    watching = Guard(1.0, lambda: next(told))
    async with asyncio.timeout(PATIENCE_S):
        await watching.watch(lambda: None)
    assert len(watching.samples) == 1200
    assert watching.samples[-1][1] == 0


def test_this_machine_s_memory_is_read():
    """Where there is a /proc."""
    memory = read_host().memory
    assert memory is not None
    assert 0 < memory.free_bytes < memory.total_bytes
