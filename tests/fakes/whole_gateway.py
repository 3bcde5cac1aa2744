"""A gateway that can be read and drilled: a small server, and a topology that is handed in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp

from chaos.errors import GatewayError
from chaos.exposition import Sample, samples
from chaos.gateway.client import Gateway, ModelIds, Readiness
from chaos.gateway.other_traffic import OtherTraffic
from chaos.gateway.topology import Topology
from chaos.witness.server import Witness
from tests.fakes.drilling import GATEWAY
from tests.fakes.gateway import FakeGateway
from tests.fakes.model_lists import FakeModelList


class WholeGateway(Gateway):
    """Says what it is told to say, and serves as its server does.

    Attributes:
        up: It answers those who watch it.
        metrics: What it publishes.
    """

    def __init__(self, session, url, topology: Topology, models: FakeModelList) -> None:
        super().__init__(session, url, key="sk-drill", admin_key="sk-admin")
        self._topology = topology
        self._models = models
        self.up = True
        self.metrics = ""

    async def topology(self) -> Topology:
        """Tell what was handed in."""
        return self._topology

    async def model_ids(self) -> ModelIds:
        """Tell the next list."""
        return await self._models.model_ids()

    async def other_traffic(self) -> OtherTraffic:
        """Tell the next list."""
        return await self._models.other_traffic()

    async def readiness(self) -> Readiness:
        """Tell whether it is up."""
        if not self.up:
            raise GatewayError("connection refused", remedy="Start it.")
        return Readiness(200, {"status": "healthy"})

    async def callable_models(self) -> tuple[int, frozenset[str] | None]:
        """Tell what was handed in."""
        return 200, frozenset(self._topology.groups)

    async def version(self) -> str:
        """Tell what was handed in."""
        return self._topology.litellm_version

    async def router_settings(self) -> Mapping[str, Any]:
        """Tell something."""
        return {"num_retries": 2}

    async def published(self) -> tuple[Sample, ...]:
        """Tell what was handed in."""
        return tuple(samples(self.metrics))

    async def has_metrics(self) -> bool:
        """Publish none."""
        return False


@asynccontextmanager
async def whole_gateway(
    models: FakeModelList | None = None, topology: Topology = GATEWAY, server=None
) -> AsyncIterator[tuple[WholeGateway, Witness]]:
    """Serve one until exit, and a witness whose lanes its permission covers."""
    server = server or FakeGateway({"paid": ["paid", "backup"], "backup": ["backup"]})
    async with (
        Witness().serving([("127.0.0.1", 0)]) as witness,
        aiohttp.ClientSession() as session,
        server.running() as url,
    ):
        permitted = permitting(topology, f"^{witness.url}/lane/")
        yield WholeGateway(session, url, permitted, models or FakeModelList()), witness


def permitting(topology: Topology, pattern: str) -> Topology:
    """Let every deployment be redirected to where *pattern* says."""
    groups = {
        name: replace(
            group,
            deployments=tuple(
                replace(one, redirect_permission=pattern) for one in group.deployments
            ),
        )
        for name, group in topology.groups.items()
    }
    return replace(topology, groups=groups)
