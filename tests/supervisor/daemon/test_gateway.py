"""The gateway as it is now, brought into the ledger."""

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from chaos.clock import SystemClock
from chaos.drill.drill import always
from chaos.errors import GatewayError
from chaos.witness.server import Witness
from supervisor.daemon.gateway import opened
from supervisor.daemon.incidents import Incidents
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.daemons import Site, site


@pytest.fixture
async def here(tmp_path: Path):
    """A gateway with six paths."""
    async with site(tmp_path) as made:
        yield made


@pytest.fixture
async def store(tmp_path: Path):
    """An empty store."""
    url = parse_url(str(tmp_path / "understudy.db"))
    async with Store.opened(url, Home("spark-1", "http://g"), SystemClock()) as made:
        yield made


@pytest.fixture
async def session():
    """Towards engines."""
    async with aiohttp.ClientSession() as made:
        yield made


def opening(here: Site, session):
    """Open its gateway as a worker does."""
    return opened(
        here.load(),
        session=session,
        incidents=Incidents(),
        witness=Witness("http://w"),
        guard=always,
        clock=SystemClock(),
        connect=here.connect,
    )


async def test_what_is_read_is_in_the_ledger(here: Site, store: Store, session):
    """Once: the same gateway again changes nothing."""
    async with opening(here, session) as gateway:
        assert not gateway.fresh
        assert await gateway.read(store) == 6
        assert gateway.fresh
        assert len(await store.ledger()) == 6
        assert await gateway.read(store) == 0
        gateway.forget()
        assert not gateway.fresh


async def test_a_rehearsal_is_open_until_the_gateway_changes(here: Site, store: Store, session):
    """Its topology is the one that was read."""
    async with opening(here, session) as gateway:
        await gateway.read(store)
        first = await gateway.rehearsal(lambda _: None)
        assert await gateway.rehearsal(lambda _: None) is first
        here.gateway._topology = replace(here.gateway._topology, litellm_version="1.107.0")
        assert await gateway.read(store) == 6
        second = await gateway.rehearsal(lambda _: None)
        assert second is not first
        assert second.topology.litellm_version == "1.107.0"


async def test_a_gateway_that_is_down_leaves_the_ledger_as_it_is(
    here: Site, store: Store, session, monkeypatch: pytest.MonkeyPatch
):
    """Its paths are not retired because it restarts."""
    async with opening(here, session) as gateway:
        await gateway.read(store)

        async def down() -> None:
            raise GatewayError("it is down", remedy="Start it.")

        monkeypatch.setattr(here.gateway, "topology", down)
        gateway.forget()
        with pytest.raises(GatewayError):
            await gateway.read(store)
        assert len(await store.ledger()) == 6
