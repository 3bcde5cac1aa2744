"""A client for notifiers."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from chaos.http_client import open_session


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The daemon's own kind of client."""
    async with open_session() as opened:
        yield opened
