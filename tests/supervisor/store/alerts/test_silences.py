"""Silences hold until their end, on both databases."""

from datetime import timedelta

from supervisor.store.store import Store
from tests.fakes.manual_clock import NOON, ManualClock


async def test_a_silence_holds_until_its_end_or_until_it_is_ended(store: Store, clock: ManualClock):
    """And is listed as long as it holds."""
    begun = await store.silence({"group": "cl*"}, "a driver", NOON + timedelta(hours=1))
    other = await store.silence({"group": "gpt"}, "lunch", NOON + timedelta(hours=2))
    assert await store.silences() == (begun, other)
    assert begun.covers({"group": "claude"})
    assert not begun.covers({"group": "gpt"})
    assert await store.end_silence(other.number)
    assert not await store.end_silence(other.number)
    clock.advance(3600)
    assert await store.silences() == ()
    assert not await store.end_silence(begun.number)
