"""Benchmarks outlive a restart."""

from sqlalchemy import URL

from supervisor.store import upkeep
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.baseline.conftest import taken
from tests.supervisor.store.conftest import HOME


async def test_a_benchmark_comes_back_whole(url: URL, clock: ManualClock):
    """Every run, its doubts, and what it ran on."""
    one = taken(100.0, 101.0, note="before")
    async with Store.opened(url, HOME, clock) as first:
        assert await first.add_benchmark(one)
    async with Store.opened(url, HOME, clock) as second:
        assert await second.benchmarks() == {"gemma": (one,)}
        assert not await second.add_benchmark(one), "it is there already"
        assert await second.benchmarks() == {"gemma": (one,)}


async def test_each_engine_has_its_own_oldest_first(store: Store):
    """And one that comes later is seen by a store that has read before."""
    first, second = taken(1.0), taken(2.0, at=1)
    other = taken(3.0, at=2, engine="qwen")
    await store.add_benchmark(first)
    assert await store.benchmarks() == {"gemma": (first,)}
    await store.add_benchmark(second)
    await store.add_benchmark(other)
    assert await store.benchmarks() == {"gemma": (first, second), "qwen": (other,)}


async def test_another_daemons_engines_are_not_ours(url: URL, clock: ManualClock, store: Store):
    """Two boxes may both have a gemma."""
    await store.add_benchmark(taken(1.0))
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        assert await other.benchmarks() == {}
        assert await other.find_benchmarks("b0") == ()


async def test_one_is_found_by_its_id_or_the_beginning_of_it(store: Store):
    """A percent sign is no pattern, and nothing begins none."""
    first, second = taken(1.0), taken(2.0, at=1)
    await store.add_benchmark(first)
    await store.add_benchmark(second)
    assert await store.find_benchmarks(first.id) == (first,)
    assert await store.find_benchmarks("b1") == (second,)
    assert len(await store.find_benchmarks("b")) == 2
    assert await store.find_benchmarks("%") == ()
    assert await store.find_benchmarks("") == ()


async def test_the_daemons_own_are_counted_as_use_of_the_engine(store: Store):
    """A person who measures has decided that it may take its time."""
    await store.add_benchmark(taken(1.0, by="daemon", took_s=40.0))
    await store.add_benchmark(taken(1.0, at=1, by="daemon", took_s=2.0))
    await store.add_benchmark(taken(1.0, at=2, took_s=500.0))
    assert await store.seconds_at("gemma", NOON.replace(hour=0)) == 42.0
    assert await store.seconds_at("gemma", taken(at=1).taken_at) == 2.0
    assert await store.seconds_at("qwen", NOON.replace(hour=0)) == 0.0


async def test_the_newest_are_kept_and_older_ones_go(store: Store, monkeypatch):
    """Of each engine, whatever the others have."""
    monkeypatch.setattr(upkeep, "KEEP_BENCHMARKS", 2)
    many = [taken(1.0, at=n) for n in range(5)]
    for one in [*many, taken(1.0, at=9, engine="qwen")]:
        await store.add_benchmark(one)
    assert await store.retention(Limits()) == 3
    assert {name: len(kept) for name, kept in (await store.benchmarks()).items()} == {
        "gemma": 2,
        "qwen": 1,
    }
    assert (await store.benchmarks())["gemma"] == tuple(many[-2:])
