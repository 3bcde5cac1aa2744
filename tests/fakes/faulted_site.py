"""A daemon in a process of its own between a gateway and a receiver of alerts; all of it breaks."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from chaos.clock import SystemClock
from chaos.gateway.redirect_permission import redirect_permission
from chaos.process.ports import free_port
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.hostile_gateway import Hold, HostileGateway
from tests.fakes.server import serving
from tests.fakes.stores import every_drill
from tests.patience import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds.

    Attributes:
        memory_mb: What it has allocated (anonymous memory): libraries, which it shares with
            whoever else runs at that moment, are not counted.
        files: Open files that are not sockets, pipes included.
    """

    memory_mb: float
    files: int
    sockets: int

    @classmethod
    def by(cls, pid: int) -> "Held":
        """Ask the kernel."""
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        own_kb = next(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))
        targets = []
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                targets.append(str(one.readlink()))
        sockets = sum(target.startswith("socket:") for target in targets)
        return cls(own_kb / 1024, len(targets) - sockets, sockets)


@dataclass
class Receiver:
    """A webhook: what fires, by the alert's name and labels, and what came how often.

    Attributes:
        taken: Deliveries by their id.
        status: What it answers; what it refuses does not count.
        refused: How many it has refused.
    """

    status: int = 200
    refused: int = 0
    firing: dict[str, bool] = field(default_factory=dict)
    told: Counter[tuple[str, bool]] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.status != 200:
            self.refused += 1
            return web.Response(status=self.status)
        self.taken[request.headers["X-Understudy-Delivery"]] += 1
        for alert in body["alerts"]:
            fires = alert["status"] == "firing"
            self.firing[json.dumps(alert["labels"], sort_keys=True)] = fires
            self.told[alert["labels"]["alertname"], fires] += 1
        return web.Response()

    @property
    def names(self) -> set[str]:
        """What fires now, but for the alert that always does."""
        firing = {json.loads(key)["alertname"] for key, fires in self.firing.items() if fires}
        return firing - {"Watchdog"}


@dataclass
class FaultedSite:
    """A gateway, a receiver, and the daemon between them.

    Attributes:
        config: What the daemon's next start reads.
        log: What it has said, over all its lives.
        waiting: Drills that have been seen to wait for the store.
    """

    folder: Path
    gateway: HostileGateway
    receiver: Receiver
    config: dict[str, Any]
    session: aiohttp.ClientSession
    log: list[dict[str, Any]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    api: str = ""
    _process: asyncio.subprocess.Process | None = None
    _reading: "asyncio.Task[None] | None" = None

    # --- the daemon -------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Of the daemon that runs."""
        assert self._process is not None
        assert self._process.returncode is None, (self.folder / "stderr").read_text()[-3000:]
        return self._process.pid

    async def start(self) -> None:
        """Start the daemon, and wait until it answers."""
        config = self.folder / "understudy.yaml"
        config.write_text(yaml.safe_dump(self.config))
        self.turn_clock(0.0, only_if_new=True)
        with (self.folder / "stderr").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.fakes.faulted_daemon", config, self._clock),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "TEST_KEY": "sk-test"},
                limit=1 << 24,
            )
        seen = len(self.log)
        self._reading = asyncio.create_task(self._read(self._process))
        line = await self.said("daemon.started", after=seen)
        self.api = line["api"]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            # The last line of one that was killed may be half a line.
            with suppress(ValueError):
                self.log.append(json.loads(line))

    async def end(self) -> int:
        """Stop the daemon in order; returns its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return await self._gone()

    async def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)
        await self._gone()

    async def _gone(self) -> int:
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
            await self._reading
        return code

    # --- what it says -----------------------------------------------------------------

    async def said(self, event: str, *, after: int = 0, times: int = 1) -> dict[str, Any]:
        """Wait until it has said *event* so many times since line *after*; gives the last."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.log[after:] if line["event"] == event]

        await self.so(lambda: len(found()) >= times)
        return found()[times - 1]

    async def so(self, holds: Callable[[], object]) -> None:
        """Wait until something is so, as long as the daemon lives."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                assert self.pid
                await asyncio.sleep(0.01)

    async def told_in_vain(self, more: int = 2) -> None:
        """Wait until the receiver has refused so many more."""
        refused = self.receiver.refused
        await self.so(lambda: self.receiver.refused >= refused + more)

    async def get(self, path: str = "/api/v1/status") -> Any:
        """Ask the API."""
        async with self.session.get(self.api + path) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.json()

    async def until(self, holds: Callable[[Any], object], path: str = "/api/v1/status") -> Any:
        """Ask the API until its answer is right."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds(answer := await self.get(path)):
                assert self.pid
                await asyncio.sleep(0.05)
        return answer

    @asynccontextmanager
    async def in_a_drill(self) -> AsyncIterator[None]:
        """Do something in the middle of a drill, which ends, and cannot be written, afterwards."""
        hold = self.gateway.hold = Hold("backup")
        await self.so(hold.asked.is_set)
        yield
        status = await self.until(lambda s: s["running"])
        self.gateway.hold = None
        hold.go.set()
        await self.until(lambda s: s["problems"])
        self.waiting.add(status["running"]["id"])

    async def drilled(self, drills: int = 1) -> None:
        """Wait until it has written down so many more drills."""
        await self.said("drill.ended", after=len(self.log), times=drills)

    def written(self) -> list[str]:
        """List the drills that it has said are written down."""
        return [line["drill"] for line in self.log if line["event"] == "drill.ended"]

    def outcomes(self, after: int = 0) -> Counter[str]:
        """Count what came of drills since line *after*."""
        return Counter(
            line["outcome"] for line in self.log[after:] if line["event"] == "drill.ended"
        )

    # --- what it remembers ------------------------------------------------------------

    async def kept(self) -> list[str]:
        """List the drills in the store."""
        home = Home("reader", self.gateway.url)
        url = parse_url(self.config["store"]["url"])
        async with Store.opened(url, home, SystemClock(), create=False) as store:
            assert await store.check() == ()
            return [drill.row.id for drill in await every_drill(store)]

    async def ended_well(self, what: str) -> str:
        """End it: all has passed, nothing is lost, nothing fires; gives the figures of *what*."""
        assert await self.end() == 0
        kept = await self.assert_nothing_lost()
        self.assert_all_passed()
        assert not any(line["event"] == "drill.not_written" for line in self.log)
        assert self.receiver.names == set()
        return (
            f"{what}; {kept} drills kept, of {len(self.written())} written; "
            f"alerts: {sorted(name for name, _ in self.receiver.told)}"
        )

    async def assert_nothing_lost(self) -> int:
        """Every drill that was said to be written, or waited, is there, and once; how many."""
        kept = await self.kept()
        assert set(self.written()) | self.waiting <= set(kept)
        assert len(kept) == len(set(kept))
        return len(kept)

    def assert_all_passed(self) -> None:
        """No fallback was blamed; a stop breaks off the drill that runs, and no other."""
        outcomes = self.outcomes()
        assert set(outcomes) <= {"passed", "aborted"}, outcomes
        assert outcomes["aborted"] <= 1, outcomes

    # --- its world --------------------------------------------------------------------

    @property
    def _clock(self) -> Path:
        return self.folder / "clock"

    def turn_clock(self, ahead_s: float, *, only_if_new: bool = False) -> None:
        """Set the daemon's wall clock so far ahead of the machine's."""
        if only_if_new and self._clock.exists():
            return
        beside = self.folder / "clock.new"
        beside.write_text(str(ahead_s))
        beside.rename(self._clock)


@asynccontextmanager
async def faulted_site(folder: Path, **sections: Any) -> AsyncIterator[FaultedSite]:
    """Make a site with six paths that are due again and again, and no daemon yet."""
    port = free_port()
    witness = f"127.0.0.1:{port}"
    gateway, receiver = HostileGateway(redirect_permission(port)), Receiver()
    async with (
        aiohttp.ClientSession() as session,
        serving(receiver) as hook,
        gateway.upstream(),
    ):
        await gateway.start()
        config = {
            "gateway": {"url": gateway.url, "key": {"env": "TEST_KEY"}, "answer_within_s": 2.0},
            "witness": {"listen": [witness], "url": f"http://{witness}"},
            "drills": {"injector": "redirect"},
            "daemon": {"name": "spark-1", "read_gateway_every": "1s"},
            "store": {"url": f"sqlite:///{folder / 'understudy.db'}", "keep_verdicts": 10_000},
            "web": {"listen": ["127.0.0.1:0"]},
            "watch": {"every": "1s", "answer_within": "2s"},
            "rehearse": {
                "shapes": ["chat"],
                "streaming": "whole",
                "faults": ["billing", "context_window", "content_policy"],
                "target": "1s",
            },
            # What is due every second is late every second; nobody is to be told of that here.
            "alerts": {"rules": {"FallbackStale": {"enabled": False}}},
            "notifiers": {"ops": {"webhook": {"url": f"{hook}/hook"}}},
            **sections,
        }
        site = FaultedSite(folder, gateway, receiver, config, session)
        try:
            yield site
        finally:
            if site._process is not None and site._process.returncode is None:
                site._process.kill()
                await site._gone()
            await gateway.stop()
