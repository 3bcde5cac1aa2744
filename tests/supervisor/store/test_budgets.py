"""A day's budget is a hard stop, exact to the last fraction of a cent; on both databases."""

import pytest

from supervisor.store.records import DayBudget, DayLimits, Used
from supervisor.store.store import Store
from tests.fakes.ledgers import entry
from tests.fakes.manual_clock import NOON, ManualClock

FREE = DayLimits()


def at_most(**limits) -> DayLimits:
    """Limit all drills of a day together."""
    return DayLimits(DayBudget(**limits))


async def settle(store: Store, name: str, **used: Used) -> None:
    """Let a drill end that has used so much, by provider."""
    made = entry(name, at=NOON)
    await store.add_drill(
        type(made)(path=made.path, row=made.row, ended_at=made.ended_at, used=used)
    )


async def test_what_is_reserved_counts_as_spent(store: Store):
    """Two drills that run together cannot both take the last of it."""
    most = {"openai": Used(1, 10, 0.06)}
    assert await store.reserve("d1", most, at_most(cost_usd=0.1)) is None
    refusal = await store.reserve("d2", most, at_most(cost_usd=0.1))
    assert refusal == (
        "today's drills may use 0.1000 USD a day, 0.0600 USD are spent or reserved, and this "
        "one may use 0.0600 USD"
    )
    assert await store.used_today() == most


async def test_settling_gives_back_what_was_not_used(store: Store):
    """The real cost takes the place of the reserved one, in the transaction of the drill."""
    await store.reserve("d1", {"openai": Used(3, 1000, 0.1), "x": Used(1)}, FREE)
    await settle(store, "d1", openai=Used(1, 400, 0.04))
    assert await store.used_today() == {"openai": Used(1, 400, 0.04)}
    await settle(store, "d1", openai=Used(1, 400, 0.04))
    assert await store.used_today() == {"openai": Used(1, 400, 0.04)}


async def test_what_was_not_reserved_is_counted_too(store: Store):
    """A local engine's requests, say."""
    await settle(store, "d1", hosted_vllm=Used(2, 40))
    assert await store.used_today() == {"hosted_vllm": Used(2, 40)}


async def test_a_reservation_is_made_once(store: Store):
    """Asking again for the same drill takes no more, and is allowed."""
    for _ in range(2):
        assert await store.reserve("d1", {"openai": Used(1)}, at_most(requests=1)) is None
    assert await store.used_today() == {"openai": Used(1)}


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        ({}, True),
        ({"requests": 2, "tokens": 20, "cost_usd": 0.3}, True),
        ({"requests": 1}, False),
        ({"tokens": 19}, False),
        ({"cost_usd": 0.299999999}, False),
    ],
)
async def test_each_unit_has_its_own_limit(store: Store, limits, fits):
    """0.1 and 0.2 USD fit into 0.3; a nano-dollar less, and they do not."""
    await store.reserve("d1", {"openai": Used(1, 10, 0.1)}, FREE)
    refusal = await store.reserve("d2", {"openai": Used(1, 10, 0.2)}, at_most(**limits))
    assert (refusal is None) is fits


async def test_a_provider_may_have_less_than_all_together(store: Store):
    """Its own limit is named; another provider's drills are not stopped by it."""
    limits = DayLimits(DayBudget(requests=5), {"anthropic": DayBudget(requests=1)})
    assert await store.reserve("d1", {"anthropic": Used(1)}, limits) is None
    refusal = await store.reserve("d2", {"anthropic": Used(1)}, limits)
    assert refusal is not None
    assert refusal.startswith("drills at anthropic may use 1 requests a day")
    assert await store.reserve("d3", {"openai": Used(1)}, limits) is None


async def test_what_costs_nothing_is_not_stopped_by_an_empty_purse(store: Store):
    """0.00 USD a day leaves local engines to be drilled."""
    limits = at_most(cost_usd=0.0)
    assert await store.reserve("d1", {"hosted_vllm": Used(1, 100, 0.0)}, limits) is None
    assert await store.reserve("d2", {"openai": Used(1, 100, 0.01)}, limits) is not None


async def test_a_day_ends_at_midnight(store: Store, clock: ManualClock):
    """What a killed daemon had set aside counts until then, and no longer."""
    await store.reserve("killed", {"openai": Used(1)}, at_most(requests=1))
    assert await store.reserve("d2", {"openai": Used(1)}, at_most(requests=1)) is not None
    clock.advance(86_400)
    assert await store.reserve("d2", {"openai": Used(1)}, at_most(requests=1)) is None


async def test_the_time_of_an_engine_is_added_up(store: Store, clock: ManualClock):
    """Of the drills in which it had to serve, in the stretch that is asked for."""
    for n in range(3):
        await store.add_drill(entry(f"d{n}", at=NOON))
    assert await store.seconds_at("gemma", NOON) == 3.0
    assert await store.seconds_at("other", NOON) == 0.0
    clock.advance(60)
    assert await store.seconds_at("gemma", clock.now()) == 0.0
