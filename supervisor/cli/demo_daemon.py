"""The demo's daemon: ``understudy run`` in a process of its own, with a store of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chaos.errors import SetupError
from chaos.http_client import open_session
from chaos.lab.lab import Lab
from chaos.process import guarded_process
from chaos.process.guarded_process import HOST, GuardedProcess
from chaos.process.ports import free_port
from chaos.process.readiness import StartLimit, until_ready
from supervisor.coverage.ledger import PathState
from supervisor.web.answers.paths import CoverageAnswer

KEY = "LAB_KEY"
LOOK_S = 0.2
COMMAND = (sys.executable, "-c", "from supervisor.cli.main import main; main()")


@dataclass(slots=True)
class DemoDaemon:
    """One that runs.

    Attributes:
        url: Its API.
        config: Its configuration.
    """

    url: str
    config: Path
    process: GuardedProcess
    session: aiohttp.ClientSession

    async def coverage(
        self, holds: Callable[[CoverageAnswer], bool], state: PathState, err: Console
    ) -> CoverageAnswer:
        """Wait until *holds* of the coverage; shows how many of its paths are in *state*."""
        progress = Progress(
            TextColumn(f"paths {state.value.replace('_', ' ')}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        with progress:
            task = progress.add_task("", total=None)
            while not holds(known := await self._coverage()):
                done = known.states.get(state, 0)
                progress.update(task, total=len(known.paths) or None, completed=done)
                await asyncio.sleep(LOOK_S)
        return known

    async def _coverage(self) -> CoverageAnswer:
        """Ask its API.

        Raises:
            SetupError: It has ended.
        """
        try:
            async with self.session.get(
                f"{self.url}/api/v1/coverage", allow_redirects=False
            ) as reply:
                return CoverageAnswer.model_validate_json(await reply.read())
        except aiohttp.ClientError as error:
            raise SetupError(
                f"the demo's daemon does not answer; its last words:\n{self.process.last_words()}",
                remedy="Report this; the demo should not come here.",
            ) from error


@asynccontextmanager
async def demo_daemon(
    lab: Lab, folder: Path, webhook: str, rehearse: dict[str, Any], limit: StartLimit
) -> AsyncIterator[DemoDaemon]:
    """Run one beside *lab* until exit.

    Args:
        folder: For its configuration, its store and its log.
        webhook: Who is told of alerts.
        rehearse: What it drills.

    Raises:
        SetupError: It did not come up.
    """
    url, witness = f"http://{HOST}:{free_port()}", f"{HOST}:{lab.witness_port}"
    config = folder / "understudy.yaml"
    sections = {
        "gateway": {"url": lab.gateway_url, "key": {"env": KEY}},
        "witness": {"listen": [witness], "url": f"http://{witness}"},
        "engines": dict(lab.engines),
        "rehearse": rehearse,
        # A story has no time for the fifteen seconds that a machine can wait.
        "watch": {"every": "2s", "token_every": "2s"},
        "notifiers": {"you": {"webhook": {"url": webhook}}},
        "store": {"url": f"sqlite:///{folder / 'understudy.db'}"},
        "web": {"listen": [url.removeprefix("http://")]},
    }
    config.write_text(yaml.safe_dump(sections, sort_keys=False), "utf-8")
    process = await guarded_process.start(
        [*COMMAND, "run", "--config", str(config)],
        directory=folder,
        log_path=folder / "understudy.log",
        environment={KEY: lab.key},
    )
    try:
        async with open_session() as session:
            daemon = DemoDaemon(url, config, process, session)
            await until_ready(
                process,
                lambda: _answers(session, url),
                name="the demo's daemon",
                limit=limit,
                remedy="See its last words.",
            )
            yield daemon
    finally:
        await process.stop()


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/readyz", allow_redirects=False) as reply:
            return reply.status == 200
    except aiohttp.ClientError:
        return False
