"""Single values, refusals and who is alive, on both databases."""

from sqlalchemy import URL

from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.store.conftest import HOME


async def test_a_value_is_kept_under_its_name(store: Store):
    """The last one; none where there was none."""
    assert await store.recall("findings") is None
    await store.remember("findings", [{"code": "no_timeout"}])
    await store.remember("findings", [])
    assert await store.recall("findings") == []


async def test_values_are_each_daemons_own(store: Store, url: URL, clock: ManualClock):
    """Two daemons of one store do not overwrite each other."""
    await store.remember("x", 1)
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        assert await other.recall("x") is None


async def test_refusals_are_counted_by_day_and_kind(store: Store, clock: ManualClock):
    """With the last reason in words; yesterday's are not today's."""
    await store.count_refusal("engine_busy", "2 wait")
    await store.count_refusal("engine_busy", "3 wait")
    await store.count_refusal("over_budget", "nothing is left")
    busy, budget = await store.refused()
    assert (busy.kind, busy.count, busy.reason) == ("engine_busy", 2, "3 wait")
    assert (budget.kind, budget.count) == ("over_budget", 1)
    clock.advance(86_400)
    assert await store.refused() == ()


async def test_daemons_sign_in(store: Store, url: URL, clock: ManualClock):
    """Each is listed once, with when it was seen last."""
    await store.sign_in(version="1", started_at=NOON)
    clock.advance(60)
    await store.sign_in(version="1", started_at=NOON)
    async with Store.opened(url, Home("spark-2", "http://elsewhere"), clock) as other:
        await other.sign_in(version="2", started_at=clock.now())
    first, second = await store.daemons()
    assert (first.name, first.gateway, first.version) == ("spark-1", HOME.gateway, "1")
    assert (first.started_at, first.seen_at) == (NOON, clock.now())
    assert second.name == "spark-2"
