"""A daemon for tests of the API: what it knows is given, and every question to it is recorded."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from pydantic import SecretStr

from chaos.errors import UnderstudyError
from chaos.gateway.topology import Topology
from chaos.http_client import open_session
from supervisor.baseline.record import Benchmark
from supervisor.status import Status
from supervisor.store.alerts.records import Silence, Told
from supervisor.store.records import DrillFilter, Halt, StoredDrill
from supervisor.web.access import Access
from supervisor.web.application import application, listening
from supervisor.web.drill_order import DrillOrder
from supervisor.web.events import Events
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import snapshot
from tests.fakes.topologies import topology

TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ACCESS = Access(SecretStr(TOKEN))


class FakeWorld:
    """A ``World``.

    Attributes:
        error: Raised by every method.
        calls: What was asked of it, in order.
    """

    def __init__(self) -> None:
        self.snapshot: Status = snapshot()
        self.stored: Sequence[StoredDrill] = ()
        self.error: Exception | None = None
        self.calls: list[tuple[Any, ...]] = []
        self.events = Events("run1")
        self.campaigns = {"c1"}
        self.was_told: Sequence[Told] = ()
        self.secrets: dict[str, SecretStr] = {}
        self.known: Topology | None = topology({"claude": ["local"]})

    async def start_drills(self, order: DrillOrder, /) -> str:
        self._called("start_drills", order)
        return "c1"

    async def stop_drills(self, campaign: str, /) -> bool:
        self._called("stop_drills", campaign)
        return campaign in self.campaigns

    def topology(self) -> Topology | None:
        return self.known

    async def status(self) -> Status:
        self._called("status")
        return self.snapshot

    async def drills(self, wanted: DrillFilter, /) -> Sequence[StoredDrill]:
        self._called("drills", wanted)
        return self.stored[: wanted.limit]

    async def drill(self, name: str, /) -> StoredDrill | None:
        self._called("drill", name)
        return next((each for each in self.stored if each.row.id == name), None)

    def heartbeat_secret(self, name: str, /) -> SecretStr | None:
        return self.secrets.get(name)

    async def add_benchmark(self, one: Benchmark, /) -> bool:
        self._called("add_benchmark", one.id)
        return True

    async def beat(self, name: str, /) -> bool:
        self._called("beat", name)
        return any(one.name == name for one in self.snapshot.condition.expected)

    async def told(self, limit: int, /) -> Sequence[Told]:
        self._called("told", limit)
        return self.was_told[:limit]

    def test_alert(self) -> str:
        self._called("test_alert")
        return "t1"

    async def silence(self, matchers: Mapping[str, str], reason: str, for_s: float, /) -> Silence:
        self._called("silence", dict(matchers), reason, for_s)
        return Silence(7, matchers, reason, NOON, NOON + timedelta(seconds=for_s))

    async def end_silence(self, number: int, /) -> bool:
        self._called("end_silence", number)
        return number == 7

    async def halt(self, reason: str, for_s: float | None, /, *, everywhere: bool) -> Halt:
        self._called("halt", reason, for_s, everywhere)
        until = None if for_s is None else NOON + timedelta(seconds=for_s)
        return Halt(reason, NOON, until, None if everywhere else "spark-1")

    async def resume(self, *, everywhere: bool) -> bool:
        self._called("resume", everywhere)
        return False

    def _called(self, *call: Any) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error


@dataclass(frozen=True)
class Answer:
    """What came back; *json* is None where it is something else."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any = None


@dataclass(frozen=True)
class Site:
    """A running API, and a client of it on this machine."""

    world: FakeWorld
    app: web.Application
    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Ask, and read the whole answer."""
        async with self.session.request(
            method, self.url + path, allow_redirects=False, **options
        ) as response:
            body = await response.read()
            is_json = response.content_type == "application/json" and body
            return Answer(
                response.status,
                response.headers,
                body,
                await response.json() if is_json else None,
            )

    async def get(self, path: str, **headers: str) -> Answer:
        """Read without a token."""
        return await self.ask("GET", path, headers=headers)

    async def change(self, method: str, path: str, **options: Any) -> Answer:
        """Ask with the token."""
        return await self.ask(method, path, headers=BEARER, **options)

    @property
    def routes(self) -> set[tuple[str, str]]:
        """Every method and path that is routed; paths as templates."""
        return {
            (route.method, route.resource.canonical)
            for route in self.app.router.routes()
            if route.resource is not None
        }


@asynccontextmanager
async def site(ping_s: float = 15.0) -> AsyncIterator[Site]:
    """Serve the whole API on a free port until exit."""
    world = FakeWorld()
    app = application(world, access=ACCESS, version="1.2.3", ping_s=ping_s)
    async with listening(app, ["127.0.0.1:0"]) as (url,), open_session() as session:
        yield Site(world, app, url, session)


class FullDisk(UnderstudyError):  # noqa: N818 -- named after what happened
    """The store cannot be read."""

    def __init__(self) -> None:
        super().__init__("the disk is full", remedy="Free some of it.")
