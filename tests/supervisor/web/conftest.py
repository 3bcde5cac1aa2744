"""A running API for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.world import Site, site


@pytest.fixture
async def api() -> AsyncIterator[Site]:
    """The API of a daemon that can do its job."""
    async with site() as running:
        yield running
