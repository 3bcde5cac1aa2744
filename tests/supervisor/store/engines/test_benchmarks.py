"""Benchmarks outlive a restart."""

import pytest
from sqlalchemy import URL

from supervisor.store import upkeep
from supervisor.store.engines import benchmarks as module
from supervisor.store.errors import StoreError
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.baseline.conftest import run, taken
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


async def test_the_daemons_own_are_counted_as_use_of_the_engine(store: Store):
    """A person who measures has decided that it may take its time."""
    await store.add_benchmark(taken(1.0, by="daemon", took_s=40.0))
    await store.add_benchmark(taken(1.0, at=1, by="daemon", took_s=2.0))
    await store.add_benchmark(taken(1.0, at=2, took_s=500.0))
    assert await store.seconds_at("gemma", NOON.replace(hour=0)) == 42.0
    assert await store.seconds_at("gemma", taken(at=1).taken_at) == 2.0
    assert await store.seconds_at("qwen", NOON.replace(hour=0)) == 0.0


async def test_the_newest_are_kept_and_what_may_be_a_baseline_for_ever(store: Store, monkeypatch):
    """The newest of a person's and the oldest of the daemon's, however old, of each engine."""
    monkeypatch.setattr(upkeep, "KEEP_BENCHMARKS", 2)
    monkeypatch.setattr(module, "MOST_READ", 2)
    old, by_hand, first = taken(1.0), taken(1.0, at=1), taken(1.0, at=2, by="daemon")
    later = [taken(1.0, at=3 + n, by="daemon") for n in range(5)]
    for one in [old, by_hand, first, *later, taken(1.0, at=9, engine="qwen")]:
        await store.add_benchmark(one)
    kept = (by_hand, first, *later[-2:])
    assert (await store.benchmarks())["gemma"] == kept
    gone = await store.retention(Limits())
    assert gone == 4
    assert {name: len(all_) for name, all_ in (await store.benchmarks()).items()} == {
        "gemma": 4,
        "qwen": 1,
    }
    assert (await store.benchmarks())["gemma"] == kept


async def test_what_is_too_long_to_be_kept_whole_is_refused(store: Store):
    """And not said to be kept."""
    long = tuple(run(1.0, doubts=("x" * 2000,)) for _ in range(400))
    with pytest.raises(StoreError, match="too long to be kept"):
        await store.add_benchmark(taken(runs=long))
    assert await store.benchmarks() == {}
