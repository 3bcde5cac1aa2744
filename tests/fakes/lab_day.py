"""A day of a daemon in fast motion: everything that happens in one, as fast as the machine can.

A real ``understudy run`` whose paths are due again at once, beside people who use every command
in every form, an engine that breaks and is mended, bad reloads, halts, and alerts to receivers
of which one repeats all that it gets.
"""

import asyncio
import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from tests.fakes.alert_receiver import Receiver
from tests.fakes.canaries import Canaries
from tests.fakes.commandline import SCRIPT, environment
from tests.fakes.watched_processes import watched_processes

SHOWN = 4
"""Drills of which all evidence is looked at, by each form; the API gives that of fifty."""

PRIVATE = ("gateway", "admin", "engine", "beat", "url", "signing", "bearer", "chat", "web")
"""What the configuration can name, but for the store's password."""

SLOW = ("hang", "keepalive_only", "slow_first_token", "stream_stall")
"""Faults that last as long as a deadline; they are drilled on demand, once."""

BY_TWIN = ("connection_refused", "outage")
"""Faults that no running gateway can be drilled with."""


@dataclass
class Day:
    """One day.

    Attributes:
        drills: How many must have ended before it is over.
        rehearse: What is drilled.
        hook: Gets the alerts.
        loud: Refuses them, and repeats what came.
    """

    folder: Path
    canaries: Canaries
    gateway_url: str
    witness_port: int
    engine: SimulatedEngine
    drills: int
    rehearse: Mapping[str, Any] = field(default_factory=dict)
    deadline_s: float = 1.0
    hook: Receiver = field(default_factory=Receiver)
    loud: Receiver = field(default_factory=lambda: Receiver(status=500, echoes=True))

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "understudy.yaml"

    @property
    def state(self) -> Path:
        """Where the daemon may write."""
        return self.folder / "state"

    @property
    def log(self) -> Path:
        """What the daemon writes as it goes."""
        return self.folder / "log"

    def environment(self) -> dict[str, str]:
        """Name every secret that is in a variable."""
        secrets = {f"C_{name.upper()}": value for name, value in self.canaries.secrets.items()}
        # Unbuffered, Python itself loses the rest of a long line where a write is interrupted.
        return environment(**secrets, XDG_STATE_HOME=str(self.state), PYTHONUNBUFFERED="")

    def configure(self, hook_url: str, loud_url: str, **sections: Any) -> None:
        """Write the configuration, and the files that hold its secrets."""
        secrets = self.canaries.secrets
        places = self.folder / "secrets"
        places.mkdir(mode=0o700, exist_ok=True)
        host = loud_url.removeprefix("http://")
        written = {
            "admin": secrets["admin"],
            "url": f"{hook_url}/{secrets['url']}",
            "loud": f"{loud_url}/{secrets['url']}",
            "chat": f"json://user:{secrets['chat']}@{host}/{secrets['chat']}",
            "web": secrets["web"],
        }
        for name, value in written.items():
            (places / name).write_text(value)
        bearer = {"secret": {"env": "C_SIGNING"}, "token": {"env": "C_BEARER"}}
        witness = f"127.0.0.1:{self.witness_port}"
        config = {
            "gateway": {
                "url": self.gateway_url,
                "key": {"env": "C_GATEWAY"},
                "admin_key": {"file": str(places / "admin")},
            },
            "witness": {"listen": [witness], "url": f"http://{witness}"},
            "web": {
                "listen": [f"127.0.0.1:{free_port()}"],
                "token": {"file": str(places / "web")},
            },
            "store": {"url": f"sqlite:///{self.state / 'understudy.db'}"},
            "daemon": {"read_gateway_every": "1s"},
            "engines": {"gemma": {"url": self.engine.url, "key": {"env": "C_ENGINE"}}},
            "drills": {"deadline_s": self.deadline_s, "first_token_s": self.deadline_s},
            "rehearse": {"target": "1s", **self.rehearse},
            "watch": {"every": "1s", "token_every": "1s", "confirm": 1},
            "alerts": {"remind_every": "1s", "watchdog_every": "1s"},
            "heartbeats": {"backup": {"period": "1s", "grace": "1s", "secret": {"env": "C_BEAT"}}},
            "notifiers": {
                "hook": {"webhook": {"url": {"file": str(places / "url")}, **bearer}},
                "loud": {"webhook": {"url": {"file": str(places / "loud")}, **bearer}},
                "chat": {"apprise": {"url": {"file": str(places / "chat")}}, "watchdog": True},
            },
            **sections,
        }
        self.api = f"http://{config['web']['listen'][0]}"
        self.config.write_text(yaml.safe_dump(config))

    # --- the people ----------------------------------------------------------------------

    async def say(self, *arguments: object) -> str:
        """Use a command, and look at all that it prints."""
        process = await asyncio.create_subprocess_exec(
            str(SCRIPT),
            *map(str, arguments),
            env=self.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
        told = f"{arguments}: {process.returncode}, {errors.decode()}, {out[-300:]!r}"
        assert b"Traceback" not in errors, told
        if "json" in arguments and out:
            assert out.rstrip().endswith((b"}", b"]")), told
        self.canaries.see(f"output of {' '.join(map(str, arguments))}", out + errors)
        return out.decode() or errors.decode()

    async def look(self, form: str) -> None:
        """Ask and drill with every command, in one form."""
        here = ("--config", self.config)
        for command in (
            ("status",),
            ("coverage",),
            ("coverage", "--next"),
            ("history", "--outcome", "failed"),
            ("alerts", "list"),
            ("doctor",),
            ("audit",),
            ("drill", "--list"),
            ("drill", "--max-drills", "2", "--fault", "billing"),
            ("drill", "--local", "--max-drills", "1"),
        ):
            await self.say(*command, "--format", form, *here)
        slow = [option for fault in SLOW for option in ("--fault", fault)]
        await self.say("drill", *slow, "--max-drills", "4", "--format", form, *here)
        history = json.loads(await self.say("history", "--format", "json", *here))
        for one in history["drills"][:SHOWN]:
            await self.say("show", one["drill"]["id"], "--evidence", "--format", form, *here)

    async def change(self) -> None:
        """Halt, silence, and look after the store, while a test alert is tried to its end."""
        here = ("--config", self.config)
        async with asyncio.TaskGroup() as tasks:
            # A receiver that refuses it is tried for half a minute.
            tasks.create_task(self.say("alerts", "test", *here))
            await self._change(here)

    async def _change(self, here: tuple[object, ...]) -> None:
        junit = self.folder / "report.xml"
        await self.say(
            *("drill", "--format", "junit", "--output", junit, "--max-drills", "2"), *here
        )
        self.canaries.see("the report", junit.read_bytes())
        for command in (
            ("config", "check", self.config),
            ("halt", "--reason", "lunch", *here),
            ("status", *here),
            ("resume", *here),
            ("store", "check", *here),
            ("store", "backup", self.state / "backup.db", *here),
            ("alerts", "silence", "--for", "1m", "--reason", "noon", "alertname=Halted", *here),
        ):
            await self.say(*command)

    async def read_everything(self, session: aiohttp.ClientSession) -> None:
        """Read the API whole, as anybody on this machine and with wrong credentials."""
        async with session.get(f"{self.api}/api/v1/openapi.json") as reply:
            paths = json.loads(await reply.read())["paths"]
        drills = (await self._asked(session, "/api/v1/drills?limit=50"))["drills"]
        for path in [p for p in paths if "get" in paths[p] and "event" not in p]:
            await self._asked(session, path.replace("{id}", drills[0]["drill"]["id"]))
        for one in drills:
            await self._asked(session, f"/api/v1/drills/{one['drill']['id']}")
        for headers in ({"Accept": "application/openmetrics-text"}, {"Authorization": "Bearer no"}):
            await self._asked(session, "/metrics", **headers)
        secret = self.canaries.secrets["beat"]
        for given in (secret, f"{secret}x", "no"):
            url = f"{self.api}/api/v1/heartbeats/backup?secret={given}"
            async with session.post(url) as reply:
                assert reply.status == (200 if given == secret else 401), await reply.text()
                self.canaries.see("the answer to a heartbeat", await reply.read())

    async def _asked(self, session: aiohttp.ClientSession, path: str, **headers: str) -> Any:
        async with session.get(f"{self.api}{path}", headers=headers) as reply:
            data = await reply.read()
            self.canaries.see(f"GET {path}", data + str(reply.raw_headers).encode())
            return json.loads(data) if "json" in reply.content_type else None

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        """Listen to everything that happens, until cancelled."""
        with suppress(aiohttp.ClientError):
            async with session.get(f"{self.api}/api/v1/events") as reply:
                async for data in reply.content.iter_any():
                    self.canaries.see("the events", data)

    # --- the day -------------------------------------------------------------------------

    async def live(self) -> None:
        """Live the day, from the daemon's start to its end."""
        process = self._started()
        try:
            async with (
                watched_processes(process.pid) as processes,
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
            ):
                await self._until(process, lambda: self.logged("daemon.started"))
                async with asyncio.TaskGroup() as tasks:
                    listening = tasks.create_task(self._listen(session))
                    await self._work(process, session)
                    listening.cancel()
                limits = Path(f"/proc/{process.pid}/limits").read_text()
                self.core_limit = limits.partition("Max core file size")[2].split()[:2]
                pages = Path(f"/proc/{process.pid}/coredump_filter").read_text()
                self.core_pages = int(pages, 16)
                self.read_files("while it runs")
            for where, texts in processes.items():
                self.canaries.see(where, b"\n".join(texts))
            self.processes = processes
        finally:
            process.send_signal(signal.SIGTERM)
            self.ended = await asyncio.to_thread(process.wait)
        self.read_files("at its end")
        for came in self.hook.came + self.loud.came:
            self.canaries.see("what receivers got", came.body)

    def _started(self) -> "subprocess.Popen[bytes]":
        self.state.mkdir()
        with self.log.open("w") as stream:
            return subprocess.Popen(
                [str(SCRIPT), "run", "--config", str(self.config)],
                env=self.environment(),
                stdout=stream,
                stderr=stream,
            )

    async def _work(self, process: "subprocess.Popen[bytes]", session: Any) -> None:
        good = self.config.read_text()
        await self._until(process, lambda: self.logged("drill.ended") >= self.drills // 3)
        await self.engine.restart(enable_auto_tool_choice=False, tool_call_parser=None)
        await self._until(process, lambda: self.told("FallbackBroken", "firing"))
        await self.look("table")
        await self.change()
        await self.read_everything(session)
        self.config.write_text(f"{good}\nnonsense: {self.canaries.secrets['gateway']}\n")
        process.send_signal(signal.SIGHUP)
        await self._until(process, lambda: self.told("ConfigRejected", "firing"))
        await self.say("config", "check", self.config)
        await self.say("status", "--config", self.config)
        self.config.write_text(good)
        process.send_signal(signal.SIGHUP)
        await self._until(process, lambda: self.told("ConfigRejected", "resolved"))
        await self.engine.restart(down=True)
        await self._until(process, lambda: self.told("EngineDown", "firing"))
        await self.engine.restart(
            down=False, enable_auto_tool_choice=True, tool_call_parser="gemma4"
        )
        await self._until(process, lambda: self.told("EngineDown", "resolved"))
        await self._until(process, lambda: self.logged("drill.ended") >= self.drills)
        await self.look("json")
        await self.read_everything(session)

    def read_files(self, when: str) -> None:
        """Look at everything that the daemon has written."""
        for file in (*self.state.rglob("*"), self.log):
            if file.is_file():
                self.canaries.see(f"{file.relative_to(self.folder)} {when}", file.read_bytes())

    def logged(self, event: str) -> int:
        """Count the lines of the log with *event*."""
        return self.log.read_text().count(f'"{event}"')

    def told(self, name: str, status: str) -> bool:
        """Tell whether the receiver got this of an alert."""
        alerts = [one for came in self.hook.came for one in json.loads(came.body)["alerts"]]
        return any((a["labels"]["alertname"], a["status"]) == (name, status) for a in alerts)

    async def _until(self, process: "subprocess.Popen[bytes]", holds: Callable[[], object]) -> None:
        while not holds():
            assert process.poll() is None, self.log.read_text()[-3000:]
            # Each look reads all that was written so far, of which there is more and more.
            await asyncio.sleep(0.25)
