"""Every question and every change, on both databases."""

from supervisor.store.store import Store


async def test_a_new_store_knows_nothing(store: Store):
    """It has no paths, no drills and no halt, and nothing is due."""
    assert await store.ledger() == {}
    assert await store.drills() == ()
    assert await store.halted() is None
    assert await store.due() is None
    assert await store.check() == ()
