"""Debian's Prometheus and Alertmanager, started on loopback and ended with the test."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from chaos.http_client import open_session
from chaos.process.ports import free_port
from tests.patience import PATIENCE_S

CONFIG = Path(__file__).parents[2] / "config" / "prometheus"


async def eventually(holds: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so that has to be asked for."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def alertmanager(folder: Path, receiver_url: str) -> AsyncIterator[str]:
    """Run an Alertmanager, alone, until exit; yields its URL once it answers."""
    route = {"receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    hook = {"url": receiver_url, "send_resolved": True}
    config = {"route": route, "receivers": [{"name": "hook", "webhook_configs": [hook]}]}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{free_port()}"
    arguments = (
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager-data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    async with _running("prometheus-alertmanager", arguments, folder / "alertmanager.log", address):
        yield f"http://{address}"


@asynccontextmanager
async def prometheus(folder: Path, daemon: str, alertmanager_url: str | None) -> AsyncIterator[str]:
    """Run a Prometheus with the files of this repository until exit; yields its URL.

    Args:
        daemon: HOST:PORT of the daemon that it scrapes, once a second.
        alertmanager_url: Where its alerts go; None for nowhere.
    """
    rules = folder / "prometheus"
    shutil.copytree(CONFIG, rules)
    config = yaml.safe_load((rules / "prometheus.yml").read_text("utf-8"))
    config["global"] = {
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "evaluation_interval": "1s",
    }
    (scrape,) = config["scrape_configs"]
    scrape["static_configs"][0]["targets"] = [daemon]
    target = [] if alertmanager_url is None else [alertmanager_url.removeprefix("http://")]
    config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": target}]}]}
    (rules / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"127.0.0.1:{free_port()}"
    arguments = (
        f"--config.file={rules / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus-data'}",
        f"--web.listen-address={address}",
    )
    async with _running("prometheus", arguments, folder / "prometheus.log", address):
        yield f"http://{address}"


async def ask(session: aiohttp.ClientSession, url: str) -> Any:
    """Read JSON."""
    async with session.get(url, allow_redirects=False) as reply:
        return await reply.json()


@asynccontextmanager
async def _running(
    program: str, arguments: tuple[str, ...], log_file: Path, address: str
) -> AsyncIterator[None]:
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            async with open_session() as session:

                async def ready() -> bool:
                    assert process.returncode is None, log_file.read_text()
                    try:
                        async with session.get(
                            f"http://{address}/-/ready", allow_redirects=False
                        ) as reply:
                            return reply.status == 200
                    except aiohttp.ClientError:
                        return False

                await eventually(ready)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
