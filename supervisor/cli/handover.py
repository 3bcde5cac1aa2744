"""Hand drills to a running daemon, and show what happens there as if they ran here."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from chaos.drill.report import DrillReport
from chaos.errors import UsageError
from chaos.http_client import open_session
from supervisor.campaign.followed import FollowedReport
from supervisor.cli.knowledge import Api, DaemonError
from supervisor.cli.progress import LiveDrills
from supervisor.settings.model import Settings
from supervisor.stop import Stop
from supervisor.web.drill_order import DrillOrder
from supervisor.web.events import MISSED

PATIENT_S = 2.0
"""How long nothing may happen before it is said why."""

TRIES = 5
"""To take an interrupted stream of events up again, a second apart."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the daemon's."""

    id: str
    name: str
    data: dict[str, Any]


async def daemon_of(session: aiohttp.ClientSession, settings: Settings) -> Api | None:
    """Find the daemon that could drill the gateway of *settings*; None if there is none.

    A daemon of another gateway is none.
    """
    api = Api.of(session, settings)
    if not await api.answers():
        return None
    status = await api.status()
    url = settings.gateway.url
    return api if url is None or _same(url, status.gateway or "") else None


def _same(one: str, other: str) -> bool:
    """Tell whether two URLs lead to one gateway, by their words: this machine has two names."""
    return _plain(one) == _plain(other)


def _plain(url: str) -> URL:
    found = URL(url)
    host = "127.0.0.1" if found.host == "localhost" else found.host or ""
    return found.with_host(host).with_path(found.path.rstrip("/")) if host else found


async def drilled_there(
    api: Api,
    order: DrillOrder,
    stop: Stop,
    live: LiveDrills,
    say: Callable[[str], None] = lambda _: None,
    grew: Callable[[Callable[[], DrillReport]], None] = lambda _: None,
) -> tuple[DrillReport, bool]:
    """Have the daemon drill, and report.

    Args:
        say: Is told what the daemon says of these drills, and what it does first.
        grew: Is given, after each drill, what makes the report of all so far.

    Returns:
        The report, and whether the campaign was stopped.

    Raises:
        DaemonError: It refuses, or its drills cannot be followed to their end.
        UsageError: Nothing can be drilled as ordered.
    """
    started = await api.start_drills(order)
    report = FollowedReport()
    stop.watched()
    async with asyncio.TaskGroup() as tasks:
        stopping = tasks.create_task(_stop_there(api, started.id, stop))
        waiting = tasks.create_task(_say_what_is_first(api, say))
        try:
            async for event in _events(api, started.id):
                waiting.cancel()
                if event.name == "campaign.planned":
                    report.planned(event.data)
                    live.planned(event.data["drills"])
                elif event.name == "campaign.says":
                    say(event.data["line"])
                elif event.name == "drill.started":
                    live.started(event.data["id"], event.data["scenario"])
                elif event.name == "drill.ended":
                    live.ended(report.ended(event.data))
                    grew(report.so_far)
                elif event.name == "campaign.failed":
                    raise UsageError(event.data["why"], remedy=event.data["remedy"])
                elif event.name == "campaign.ended":
                    return report.whole(event.data), bool(event.data["stopped"])
        finally:
            stopping.cancel()
            waiting.cancel()
    raise _lost(api, started.id)


async def _say_what_is_first(api: Api, say: Callable[[str], None]) -> None:
    """Say why nothing happens yet: one drill runs at a time, and some take minutes."""
    await asyncio.sleep(PATIENT_S)
    try:
        running = (await api.status()).running
    except (DaemonError, aiohttp.ClientError, TimeoutError):
        return  # The stream of events says so itself.
    if running is not None:
        say(f"waiting for the daemon's drill in progress: {running.scenario}")


async def _stop_there(api: Api, campaign: str, stop: Stop) -> None:
    await stop.event.wait()
    await api.stop_drills(campaign)


async def _events(api: Api, campaign: str) -> AsyncIterator[Told]:
    """Yield what happens in a campaign; an interrupted stream is taken up where it broke off."""
    seen: str | None = None
    tries = 0
    while tries < TRIES:
        try:
            async with api.listening(campaign, seen) as response:
                if response.status != 200:
                    raise _lost(api, campaign)
                async for event in _read(response):
                    if event.name == MISSED:
                        raise _lost(api, campaign)
                    seen, tries = event.id, 0
                    yield event
        except (aiohttp.ClientError, TimeoutError):
            pass
        tries += 1
        await asyncio.sleep(1.0)


async def _read(response: aiohttp.ClientResponse) -> AsyncIterator[Told]:
    """Take a stream of server-sent events apart, as our own API writes them."""
    fields: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode("utf-8").rstrip("\r\n")
        name, colon, value = line.partition(":")
        if line and name:
            fields[name] = value.removeprefix(" ") if colon else ""
        elif not line and "data" in fields:
            yield Told(fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"]))
            fields = {}


def _lost(api: Api, campaign: str) -> DaemonError:
    return DaemonError(
        f"the drills of campaign {campaign} cannot be followed to their end at {api.base}",
        remedy="'understudy history' shows what has ended; 'understudy status' how the daemon is.",
    )


def session() -> Any:
    """Open the connections to a daemon; one that sends a long row fits."""
    return open_session(read_bufsize=1 << 20)
