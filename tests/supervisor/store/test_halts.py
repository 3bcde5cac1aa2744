"""Halts, on both databases."""

from datetime import timedelta

from sqlalchemy import URL

from supervisor.store.records import Halt, Home
from supervisor.store.store import Store
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.store.conftest import HOME


async def test_a_halt_holds_until_it_is_ended(store: Store):
    """And comes back as it was begun; ending none says so."""
    begun = Halt("a deployment", NOON)
    await store.halt(begun)
    assert await store.halted() == begun
    assert await store.resume()
    assert await store.halted() is None
    assert not await store.resume()


async def test_a_halt_with_an_end_ends_by_itself(store: Store, clock: ManualClock):
    """A second before it holds, at its end it does not."""
    await store.halt(Halt("lunch", NOON, NOON + timedelta(hours=1)))
    clock.advance(3599)
    assert await store.halted() is not None
    clock.advance(1)
    assert await store.halted() is None


async def test_a_halt_survives_a_restart(url: URL, clock: ManualClock):
    """It is in the store."""
    async with Store.opened(url, HOME, clock) as first:
        await first.halt(Halt("until further notice", NOON))
    async with Store.opened(url, HOME, clock) as second:
        assert (await second.halted()) == Halt("until further notice", NOON)


async def test_a_halt_reaches_one_daemon_or_all(store: Store, url: URL, clock: ManualClock):
    """One for a single daemon leaves the others alone; one for all reaches each."""
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        await store.halt(Halt("only the first", NOON, daemon="spark-1"))
        assert await store.halted() is not None
        assert await other.halted() is None
        await store.halt(Halt("everybody", NOON))
        assert (await other.halted()) == Halt("everybody", NOON)
        assert await other.resume()
        assert await other.halted() is None
        assert (await store.halted()) == Halt("only the first", NOON, daemon="spark-1")


async def test_a_second_halt_takes_the_place_of_the_first(store: Store):
    """One is ended by one resume."""
    await store.halt(Halt("first", NOON, NOON + timedelta(hours=9)))
    await store.halt(Halt("second", NOON, NOON + timedelta(hours=1)))
    assert (await store.halted()).reason == "second"  # type: ignore[union-attr]
    await store.resume()
    assert await store.halted() is None
