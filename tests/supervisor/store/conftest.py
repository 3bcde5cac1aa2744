"""A store per test, in a file and on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import URL

from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.manual_clock import ManualClock

HOME = Home("spark-1", "http://gateway:4000")


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock()


@pytest.fixture
async def store(url: URL, clock: ManualClock) -> AsyncIterator[Store]:
    """An empty store."""
    async with Store.opened(url, HOME, clock) as opened:
        yield opened
