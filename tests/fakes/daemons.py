"""A whole daemon on the loop of the test, beside a small gateway."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from chaos.clock import Clock
from chaos.process.ports import free_port
from supervisor.daemon.service import Service
from supervisor.settings.file import parse_settings
from supervisor.settings.model import Settings
from supervisor.systemd import Systemd
from tests.fakes.drilling import GATEWAY
from tests.fakes.gateway import FakeGateway
from tests.fakes.whole_gateway import WholeGateway, permitting, whole_gateway

VERSION = "9.9"


@dataclass
class Site:
    """A gateway, and daemons beside it.

    Attributes:
        server: What serves drills.
        gateway: What is read.
        config: What the configuration says; change it, and reload.
    """

    server: FakeGateway
    gateway: WholeGateway
    config: dict[str, Any]
    clock: Clock | None = None
    connections: int = 0
    services: list[Service] = field(default_factory=list)

    def load(self) -> Settings:
        """Read the configuration."""
        return parse_settings(yaml.safe_dump(self.config), name="understudy.yaml")

    @asynccontextmanager
    async def connect(self, _: Settings) -> AsyncIterator[WholeGateway]:
        """Open the gateway; it stays open for the next."""
        self.connections += 1
        yield self.gateway

    @asynccontextmanager
    async def daemon(self, systemd: Systemd | None = None) -> AsyncIterator["Daemon"]:
        """Run a daemon until exit, as ``understudy run`` does."""
        service = Service(self.load, VERSION, self.clock, self.connect, systemd)
        stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
        async with aiohttp.ClientSession() as session:
            running = asyncio.create_task(service.run(stop, ready.set_result))
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                await running
            try:
                yield Daemon(service, session, ready.result()[0])
            finally:
                stop.set()
                await running


@dataclass
class Daemon:
    """One that runs.

    Attributes:
        url: Its API.
    """

    service: Service
    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str) -> Any:
        """Ask the API."""
        async with self.session.get(self.url + path) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Ask the API until its answer is right."""
        while not holds(answer := await self.get(path)):
            self.look()
            await asyncio.sleep(0.02)
        return answer

    def look(self) -> None:
        """Look at the ledger now, not at the next beat."""
        assert self.service.worker is not None
        self.service.worker.look()

    async def drilled(self) -> Any:
        """Wait until no path is left that was never drilled; gives the status."""

        def done(status: Any) -> bool:
            return (
                status["running"] is None
                and not status["states"].get("never_proven")
                and bool(status["states"])
            )

        return await self.until("/api/v1/status", done)


@asynccontextmanager
async def site(
    folder: Path,
    clock: Clock | None = None,
    *,
    server: FakeGateway | None = None,
    **sections: Any,
) -> AsyncIterator[Site]:
    """Make a gateway with six paths, and a configuration whose store is in *folder*."""
    server = server or FakeGateway({})
    server.chains = {"paid": ["paid", "backup"], "backup": ["backup"]}
    witness = f"127.0.0.1:{free_port()}"
    async with whole_gateway(server=server) as (gateway, _):
        gateway._topology = permitting(GATEWAY, rf"^http://{witness}/lane/")
        config = {
            "gateway": {"url": gateway.url, "key": {"env": "TEST_KEY"}},
            "witness": {"listen": [witness], "url": f"http://{witness}"},
            "drills": {"injector": "redirect"},
            "daemon": {"name": "spark-1"},
            "store": {"url": f"sqlite:///{folder / 'understudy.db'}"},
            "web": {"listen": ["127.0.0.1:0"]},
            # Nothing is looked at, but where a test watches.
            "watch": {"enabled": False},
            "rehearse": {
                "shapes": ["chat"],
                "streaming": "whole",
                "faults": ["billing", "context_window", "content_policy"],
            },
            **sections,
        }
        yield Site(server, gateway, config, clock)
