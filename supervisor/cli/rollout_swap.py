"""Put a swap together from what was staged: journal, gateway, daemon, and users that ask."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from chaos.clock import SystemClock
from chaos.drill.report import DrillRow
from chaos.errors import UnderstudyError, UsageError
from chaos.gateway.topology import Topology
from chaos.http_client import open_session
from supervisor.baseline.record import Benchmark
from supervisor.campaign.connection import connected
from supervisor.cli.console import say
from supervisor.cli.knowledge import Api
from supervisor.cli.rollout_drills import drilled
from supervisor.rollout.docker_host import DockerHost
from supervisor.rollout.exchange.gates.gateway import ASKED
from supervisor.rollout.exchange.running import Swapping, ThroughGateway
from supervisor.rollout.exchange.swap import SwapReport
from supervisor.rollout.exchange.users import Users
from supervisor.rollout.facts import engine_url
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.journal import Journal
from supervisor.rollout.meanwhile import SHAPES, Question, chain_of, groups_of
from supervisor.rollout.rollout_file import load_rollout
from supervisor.rollout.stage import FILE
from supervisor.settings.model import EngineSettings, Settings
from supervisor.stop import Stop
from supervisor.store.engines.rollouts import JournalRollout, RolloutState
from supervisor.store.store import Store

SWAPPABLE = (RolloutState.STAGED,)
RESUMABLE = (RolloutState.SWAPPING,)
SETTLES_WITHIN = timedelta(minutes=2)
"""The daemon has looked again by then."""

_GONE = (UnderstudyError, aiohttp.ClientError, TimeoutError)
"""The daemon was ended meanwhile."""

REVERSIBLE = (
    RolloutState.SWAPPING,
    RolloutState.ACCEPTED,
    RolloutState.RESTORING,
    RolloutState.STRANDED,
)


def chosen(known: tuple[JournalRollout, ...], name: str | None, states: Any) -> JournalRollout:
    """Find the rollout that is meant: by its id, or the newest that stands so.

    Raises:
        UsageError: There is none.
    """
    fitting = [one for one in known if one.state in states]
    if name is not None:
        same = [one for one in known if name in (one.id, one.container)]
        fitting = [one for one in same if one.state in states]
        if same and not fitting:
            raise UsageError(
                f"the rollout {same[0].id} is {same[0].state}",
                remedy=f"This takes one that is {' or '.join(states)}: understudy rollout status",
            )
    if not fitting:
        raise UsageError(
            f"there is no rollout that is {' or '.join(states)}" + (f": {name}" if name else ""),
            remedy="Stage one first: understudy rollout stage rollout.yaml",
        )
    return fitting[0]


@asynccontextmanager
async def swapping(
    settings: Settings,
    host: DockerHost,
    store: Store,
    record: JournalRollout,
    stop: Stop,
    benchmarks: Callable[[Settings, str], Awaitable[Any]],
) -> AsyncIterator[Swapping]:
    """Open everything that a swap of *record* needs.

    Raises:
        UsageError: What was staged is not there any more.
    """
    folder = Path(str(record.row["folder"]))
    file = load_rollout(folder / FILE)
    url = engine_url(file, settings)
    named = settings.engines.get(file.engine) or EngineSettings(url=url)
    engine = named.model_copy(update={"url": url, "container": file.container})
    kept: list[Benchmark] = list(await benchmarks(settings, file.engine))
    wanted = record.row.get("baseline")
    async with open_session() as session:
        yield Swapping(
            host=host,
            journal=Journal(store, record.id),
            session=session,
            clock=SystemClock(),
            file=file,
            row=record.row,
            folder=folder,
            url=url,
            key=settings.engine_key(file.engine),
            engine=engine,
            tools=bool(record.row.get("tools")),
            baseline=next((one for one in kept if one.id == wanted), None),
            through_gateway=_through_gateway(settings, file.engine, stop),
            say=say,
        )


def _through_gateway(settings: Settings, engine: str, stop: Stop) -> ThroughGateway | None:
    if settings.gateway.url is None:
        return None

    async def ask() -> Finding:
        try:
            async with connected(settings) as gateway:
                topology = await gateway.topology()
                return await _serves_fallbacks(settings, gateway, topology, engine, stop)
        except UnderstudyError as error:
            return Finding("gateway", Answer.UNKNOWN, ASKED, error.message, error.remedy)

    return ask


async def _serves_fallbacks(
    settings: Settings, gateway: Any, topology: Topology, engine: str, stop: Stop
) -> Finding:
    by_depth: dict[int, list[str]] = {}
    for group in groups_of(topology, engine):
        depth = chain_of(topology, group, engine).index(engine)
        if depth:
            by_depth.setdefault(depth, []).append(group)
    if not by_depth:
        return Finding("gateway", Answer.UNKNOWN, ASKED, "no group falls back to it")
    rows: list[DrillRow] = []
    for depth, groups in sorted(by_depth.items()):
        report = await drilled(settings, gateway, Question(tuple(groups), depth), stop)
        rows += list(report.drills)
    bad = [row for row in rows if row.outcome == "failed"]
    if bad:
        told = next((one for one in bad[0].findings if one.result == "failed"), None)
        why = f": {told.message}" if told is not None else ""
        return Finding(
            "gateway",
            Answer.REFUSED,
            ASKED,
            f"{len(bad)} of {len(rows)} drills failed, first {bad[0].scenario.key}: "
            f"{bad[0].kind}{why}",
            (told.remedy or "") if told is not None else "",
        )
    open_ = [row for row in rows if row.outcome != "passed"]
    reasons = sorted({str(row.kind) for row in open_})
    for group in [name for groups in by_depth.values() for name in groups]:
        drilled_with = {row.scenario.shape for row in rows if row.scenario.group == group}
        reasons += [
            f"no drill of {group} with {shape}" for shape in SHAPES if shape not in drilled_with
        ]
    if any(row.outcome == "passed" and row.reply.proof != "real" for row in rows):
        reasons.append("a stand-in answered for it")
    if reasons:
        return Finding("gateway", Answer.UNKNOWN, ASKED, f"not proven: {', '.join(reasons)}")
    return Finding("gateway", Answer.OK, ASKED, f"{len(rows)} drills passed")


@asynccontextmanager
async def undisturbed(
    settings: Settings, engine: str, reason: str, most_s: float
) -> AsyncIterator[Any]:
    """Have the daemon drill nothing until what is yielded is called, or until the block ends.

    Meanwhile it tells nobody that the engine is down, which is meant. A halt that somebody else
    has made stays as it is.
    """
    length, meant = timedelta(seconds=most_s), {"alertname": "Engine*", "engine": engine}
    async with open_session() as session:
        api = Api.of(session, settings)
        ours, silence = False, None
        if await api.answers():
            if (await api.status()).halt is None:
                await api.halt(reason, length, everywhere=False)
                ours = True
            silence = await api.silence(meant, reason, length)

        async def go_on() -> None:
            nonlocal ours
            if ours:
                # A daemon that is gone drills nothing; the halt ends by itself, too.
                with contextlib.suppress(*_GONE):
                    await api.resume(everywhere=False)
                    ours = False

        try:
            yield go_on
        finally:
            await go_on()
            if silence is not None:
                with contextlib.suppress(*_GONE):
                    await api.silence(meant, reason, SETTLES_WITHIN)
                    await api.end_silence(silence.number)


async def watched(
    swap: Swapping, settings: Settings, work: Callable[[], Awaitable[SwapReport]]
) -> SwapReport:
    """Do *work* while a user asks all the time; the report says what that user felt."""
    users = await _users(swap, settings)
    swap.quiet = users.quiet
    asking = asyncio.ensure_future(users.ask())  # noqa: TID251 -- ended below
    try:
        report = await work()
        return replace(report, served=users.ended())
    finally:
        asking.cancel()
        await asyncio.wait([asking])


async def _users(swap: Swapping, settings: Settings) -> Users:
    engine, model = swap.file.engine, swap.model
    direct = Users(swap.session, f"{swap.url}/v1", swap.key, model, "")
    if settings.gateway.url is None or settings.gateway.key is None:
        direct.served.asked = "the engine alone was asked: no gateway is named"
        return direct
    try:
        async with connected(settings) as gateway:
            topology = await gateway.topology()
    except UnderstudyError as error:
        direct.served.asked = f"the engine alone was asked: {error.message}"
        return direct
    hops = [topology.find(name) for name in (engine, *topology.chain(engine).fallbacks)]
    if not all(one is not None and one.local for one in hops):
        direct.served.asked = "the engine alone was asked: a hop of its chain costs money"
        return direct
    key = settings.gateway.key.reveal().get_secret_value()
    url = f"{settings.gateway.url.rstrip('/')}/v1"
    return Users(swap.session, url, key, engine, f"through the gateway, as a user of {engine}")
