"""What the commands of ``understudy rollout`` share: Docker, the journal, the plan, the origin."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.errors import UsageError

if TYPE_CHECKING:
    from supervisor.baseline.record import Benchmark
    from supervisor.engine.facts import EngineFacts
    from supervisor.rollout.docker_host import DockerHost
    from supervisor.rollout.exchange.running import Swapping
    from supervisor.rollout.exchange.swap import SwapReport
    from supervisor.rollout.first_file import Running
    from supervisor.rollout.origin import Origin
    from supervisor.rollout.plan import Plan
    from supervisor.rollout.rollout_file import RolloutFile
    from supervisor.settings.model import Settings
    from supervisor.stop import Stop
    from supervisor.store.engines.patches import PatchLook
    from supervisor.store.store import Store


@asynccontextmanager
async def docker_host() -> "AsyncIterator[DockerHost]":
    """Open Docker off the loop; it may be slow to answer."""
    from contextlib import ExitStack

    from supervisor.rollout.docker_host import DockerHost, in_thread

    with ExitStack() as stack:
        yield await in_thread(stack.enter_context, DockerHost.opened())


@asynccontextmanager
async def journal(settings: "Settings") -> "AsyncIterator[Store]":
    """Open the store of the configuration, in which rollouts are written down."""
    from chaos.clock import SystemClock
    from supervisor.store.location import store_url
    from supervisor.store.records import Home
    from supervisor.store.store import Store

    home = Home(settings.daemon.name, settings.gateway.url or "")
    async with Store.opened(store_url(settings.store), home, SystemClock()) as store:
        yield store


async def planned(
    host: "DockerHost",
    settings: "Settings",
    wanted: "RolloutFile",
    stop: "Stop",
    *,
    without_baseline: str,
    drills: bool,
    hashes: bool,
) -> "Plan":
    """Ask everything, and if nothing is refused, who serves meanwhile."""
    from chaos.http_client import open_session
    from supervisor.cli.console import err, say
    from supervisor.cli.hash_progress import LiveHashes
    from supervisor.cli.rollout_drills import covers_of
    from supervisor.rollout.facts import gather
    from supervisor.rollout.plan import plan_of

    async with open_session() as session:
        with LiveHashes(err) as live:
            facts = await gather(
                host,
                wanted,
                settings,
                session,
                benchmarks=await benchmarks_of(settings, wanted.engine),
                without_baseline=without_baseline,
                hashes=hashes,
                tell=live.take,
                say=say,
            )
    if not drills:
        return plan_of(facts, None, "--no-drills")
    plan = plan_of(facts, None, "something cannot work already, so nothing was drilled")
    if plan.refused:
        return plan
    covers, why = await covers_of(settings, wanted.engine, stop)
    return plan_of(facts, covers, why)


async def may_begin(
    settings: "Settings", swap: "Swapping", stop: "Stop", *, accepted: bool, drills: bool
) -> None:
    """Find out once more who serves meanwhile, and that what was staged is as it was.

    Raises:
        UsageError: Users may be without an answer, and nobody has accepted that; or the
            containers are not those that were staged.
    """
    from supervisor.cli.console import say
    from supervisor.cli.rollout_drills import covers_of
    from supervisor.rollout.docker_host import in_thread
    from supervisor.rollout.meanwhile import needs_acceptance

    for identity, what in ((swap.old_id, "the old container"), (swap.next_id, "the staged one")):
        if await in_thread(swap.host.container, identity) is None:
            raise UsageError(
                f"{what}, {identity[:12]}, is not there any more",
                remedy="Stage again: understudy rollout stage rollout.yaml",
            )
    there = await in_thread(swap.host.container, swap.name)
    if there is None or there["Id"] != swap.old_id:
        raise UsageError(
            f"{swap.name} is another container than when it was staged",
            remedy="Stage again, so that the plan is about what runs: "
            "understudy rollout stage rollout.yaml",
        )
    if accepted:
        say("downtime is accepted")
        return
    covers, why = await covers_of(settings, swap.file.engine, stop) if drills else (None, "")
    uncovered = needs_acceptance(covers or ())
    if covers is None or uncovered:
        groups = ", ".join(one.group for one in uncovered) or "this engine"
        because = f" ({why})" if why else ""
        raise UsageError(
            f"users of {groups} may be without an answer while it is exchanged{because}",
            remedy="If that may be: --accept-downtime. 'understudy rollout plan' says how long.",
        )


async def compared(
    host: "DockerHost", store: "Store", names: "Sequence[str]", *, accept: bool
) -> "tuple[PatchLook, ...]":
    """Look at what is mounted over the images of containers, and write it down.

    Args:
        accept: It is right for the images that run now.

    Raises:
        UsageError: There is no such container.
    """
    from chaos.clock import SystemClock
    from supervisor.rollout.docker_host import in_thread
    from supervisor.rollout.patches import look_at

    now = SystemClock().now()
    known = await store.patches()
    found: list[PatchLook] = []
    for name in names:
        described = await in_thread(host.container, name)
        if described is None:
            raise await in_thread(_no_container, host, name)
        own_name = str(described["Name"]).strip("/")
        places = {one.target for one in known if one.container == own_name}
        found += await in_thread(look_at, host, described, places, now)
    if accept:
        found = [replace(one, made_for=one.own) for one in found]
    return await store.note_patches(found)


async def until_stopped(stop: "Stop", work: "Awaitable[SwapReport]") -> "SwapReport":
    """Let the first Ctrl-C put the old engine back, and wait for that."""
    import asyncio

    working = asyncio.ensure_future(work)  # noqa: TID251 -- waited for below
    stopping = asyncio.ensure_future(stop.event.wait())  # noqa: TID251 -- ended below
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
        return await working
    finally:
        stopping.cancel()


async def canary_of(settings: "Settings", wanted: "RolloutFile", plan: "Plan") -> float | None:
    """Ask the old engine what it makes of the fixed text, while it serves."""
    from chaos.clock import SystemClock
    from chaos.http_client import open_session
    from supervisor.probes.depths.ask import Line
    from supervisor.rollout.exchange.gates.canary import score
    from supervisor.rollout.facts import engine_url

    key = settings.engine_key(wanted.engine)
    engine = plan.facts.engine
    if engine is None or not engine.names:
        return None
    async with open_session() as session:
        line = Line(session, SystemClock(), engine_url(wanted, settings), key)
        return await score(line, engine.names[0])


async def benchmarks_of(settings: "Settings", engine: str) -> "Sequence[Benchmark]":
    """Read what is kept of an engine; nothing where there is neither daemon nor store."""
    from supervisor.cli.knowledge import known

    try:
        async with known(settings) as knowledge:
            answer = await knowledge.benchmarks()
    except UsageError:
        return []
    return [
        one.record for each in answer.engines if each.engine == engine for one in each.benchmarks
    ]


async def origin_of(
    host: "DockerHost",
    from_container: str | None,
    from_compose: tuple[Path, str] | None,
    from_recipe: Path | None,
    container: str | None,
) -> "tuple[Origin, Running]":
    """Read the origin, and what runs of it."""
    from supervisor.rollout.docker_host import in_thread
    from supervisor.rollout.first_file import running_of
    from supervisor.rollout.origins import compose, recipe
    from supervisor.rollout.origins import container as containers

    if from_container is not None:
        described = await in_thread(host.container, from_container)
        if described is None:
            raise await in_thread(_no_container, host, from_container)
        image = await in_thread(host.image, str(described.get("Image") or ""))
        origin = containers.origin_of(described, image)
    elif from_compose is not None:
        file, service = from_compose
        text = await in_thread(compose.resolved, file)
        origin = compose.origin_of(text, service, name=str(file), container=container)
    else:
        assert from_recipe is not None  # noqa: S101 -- one of the three is given
        if container is None:
            raise UsageError(
                "a recipe does not name the container that runs",
                remedy="Say which one it is: --container NAME, as 'docker ps' lists it.",
            )
        origin = recipe.origin_of(
            text_of(from_recipe),
            name=str(from_recipe),
            container=container,
            home=str(Path.home()),
        )
    return origin, await in_thread(running_of, host, origin)


def _no_container(host: "DockerHost", name: str) -> UsageError:
    from chaos.registry import suggestion

    return UsageError(
        f"there is no container {name!r}",
        remedy=suggestion(name, host.container_names()).capitalize(),
    )


def text_of(path: Path) -> str:
    """Read a file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {why}", remedy="Name a file.") from error


def engine_of(settings: "Settings", name: str | None, url: str | None) -> tuple[str, str]:
    """Name the engine's group and its address.

    Raises:
        UsageError: One of them is not known.
    """
    from yarl import URL

    if name is not None:
        where = url or (settings.engines[name].url if name in settings.engines else None)
    else:
        same = [
            each
            for each, one in settings.engines.items()
            if url is not None and URL(one.url).port == URL(url).port
        ]
        name, where = (same[0] if len(same) == 1 else None), url
    if name is None:
        names = ", ".join(settings.engines) or "none"
        raise UsageError(
            "nothing says which model group this engine serves",
            remedy=f"Give --engine NAME, as the gateway names it (the configuration's: {names}).",
        )
    if where is None:
        raise UsageError(
            f"nothing says where the engine {name!r} answers",
            remedy="Give --url http://127.0.0.1:8000",
        )
    return name, where


async def facts_of(settings: "Settings", name: str, url: str) -> "EngineFacts":
    """Ask the engine what it serves."""
    from chaos.http_client import open_session
    from supervisor.engine.facts import read_engine_facts

    key = settings.engine_key(name)
    async with open_session() as session:
        return await read_engine_facts(session, url, group=name, key=key)
