"""A client that asks engines."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from chaos.http_client import open_session


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """One for each test."""
    async with open_session() as opened:
        yield opened
