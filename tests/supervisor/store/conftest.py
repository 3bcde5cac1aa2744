"""A store per test, in a file and on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes import postgresql
from tests.fakes.manual_clock import ManualClock

HOME = Home("spark-1", "http://gateway:4000")


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.PostgreSQL]:
    """A PostgreSQL that is running."""
    with postgresql.running() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """Where a store may be made; there is none yet."""
    if request.param == "sqlite":
        yield parse_url(str(tmp_path / "understudy.db"))
        return
    with request.getfixturevalue("server").database() as made:
        yield parse_url(made)


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock()


@pytest.fixture
async def store(url: URL, clock: ManualClock) -> AsyncIterator[Store]:
    """An empty store."""
    async with Store.opened(url, HOME, clock) as opened:
        yield opened
