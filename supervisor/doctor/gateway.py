"""Look at the gateway, its keys, its permissions and its engines; no model request is sent."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime

import aiohttp

from chaos.drill.injectors.redirect import version_objection
from chaos.errors import GatewayError
from chaos.gateway.client import Gateway
from chaos.gateway.redirect_permission import lane_urls, permits
from chaos.gateway.topology import ModelGroup, Topology
from chaos.gateway.wildcards import STAR, a_choice, in_words, lists
from chaos.http_client import open_session
from chaos.naming import MOST_NAMED, some_of
from supervisor.audit.facts import ask_engines, engine_keys, shown_groups
from supervisor.campaign.engine_names import unknown_engines
from supervisor.campaign.wildcard_names import ineffective
from supervisor.doctor.engine import Examined, engine_items
from supervisor.doctor.items import Item, fail, ok, warn
from supervisor.engine.facts import EngineFacts
from supervisor.probes.depths.look import Depth, probe_engine
from supervisor.settings.model import Settings

MOST_SKEW_S = 60.0


async def gateway_items(gateway: Gateway, settings: Settings, *, now: datetime) -> list[Item]:
    """Look at everything that the gateway has to say.

    Args:
        now: Compared with the gateway's clock.
    """
    alive, date = await _alive(gateway)
    if alive.remedy is not None:
        return [alive]
    items = [alive, clock(date, now)]
    try:
        topology = await gateway.topology()
    except GatewayError as error:
        return [*items, fail("admin_key", error.message, error.remedy)]
    groups = len(topology.groups)
    items.append(ok("admin_key", f"the topology can be read: {groups} model group(s)"))
    items.append(await _key(gateway, topology))
    items += engine_names(settings.engines, topology)
    items += wildcard_models(settings.wildcards, topology)
    items.append(version(topology))
    items += permissions(shown_groups(topology), settings.witness.url)
    facts = await ask_engines(topology, settings.engines)
    keys, _ = engine_keys(settings.engines)
    async with open_session() as session:
        examined = await _probed(session, topology, facts, keys)
    return [*items, *engine_items(topology, examined)]


async def _probed(
    session: aiohttp.ClientSession,
    topology: Topology,
    facts: Iterable[EngineFacts],
    keys: Mapping[str, str],
) -> list[Examined]:
    """Look at each engine of vLLM's, as deep as nothing is generated."""

    async def probed(one: EngineFacts) -> Examined:
        if one.has_tool_parser is None:  # not vLLM, or out of reach: the probe knows no more
            return Examined(one)
        group = topology.groups.get(one.group)
        reading = await probe_engine(
            session,
            one.url,
            group=one.group,
            asked_for=one.asked_for,
            key=keys.get(one.group),
            depth=Depth.METRICS if group is not None and group.embeds else Depth.TOOLS,
        )
        facts = replace(one, auto_tools=reading.facts.auto_tools, version=reading.facts.version)
        return Examined(facts, reading.state, reading.reason)

    return list(await asyncio.gather(*(probed(one) for one in facts)))


async def _alive(gateway: Gateway) -> tuple[Item, str | None]:
    """Ask for what needs no key."""
    url = gateway.url
    try:
        liveness = await gateway.alive()
    except GatewayError as error:
        return fail("gateway", error.message, error.remedy), None
    if liveness.status == 200:
        return ok("gateway", f"the gateway at {url} is alive"), liveness.date
    trouble = liveness.trouble
    if trouble is not None and (300 <= liveness.status < 400 or liveness.status >= 500):
        return fail("gateway", trouble.message, trouble.remedy), None
    return (
        fail(
            "gateway",
            f"the gateway at {url} answers status {liveness.status} to GET /health/liveliness",
            "Start LiteLLM, or give its base URL, such as --gateway http://127.0.0.1:4000",
        ),
        None,
    )


def clock(date: str | None, now: datetime) -> Item:
    """Compare the gateway's clock, as its Date header tells it, with ours."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return ok("clock", "the gateway does not report its time; the local clock is used")
    skew_s = abs((theirs - now).total_seconds())
    if skew_s <= MOST_SKEW_S:
        return ok("clock", "this machine and the gateway agree about the time")
    return warn(
        "clock",
        f"this machine's clock and the gateway's differ by {skew_s:.0f} seconds",
        "Let both keep time by NTP: reports and logs are joined by it.",
    )


async def _key(gateway: Gateway, topology: Topology) -> Item:
    """Ask what the drills' key may call."""
    try:
        status, seen = await gateway.callable_models()
    except GatewayError as error:
        return fail("key", error.message, error.remedy)
    if seen is None:
        return fail(
            "key",
            f"the gateway does not accept the key that sends drills: status {status}",
            "Give a valid one with --key-env or --key-file, or below gateway.key.",
        )
    hidden = [
        name
        for name in topology.groups
        if name not in seen and STAR not in name and not _is_listed_otherwise(name, topology, seen)
    ]
    if hidden:
        return warn(
            "key",
            f"the key that sends drills may not call {some_of(hidden, MOST_NAMED)}",
            "Give the virtual key these models, or drill the others with --group.",
            hidden,
        )
    return ok("key", "the key that sends drills may call every model group")


def _is_listed_otherwise(name: str, topology: Topology, seen: Collection[str]) -> bool:
    """Tell whether the wildcard of *name* is listed: the model itself need not be."""
    patterns = [pattern for pattern, group in topology.standing.items() if group == name]
    return any(lists(pattern, other) for pattern in patterns for other in seen)


def version(topology: Topology) -> Item:
    """Look whether this LiteLLM can be redirected safely."""
    objection = version_objection(topology.litellm_version)
    if objection is not None:
        return warn("litellm_version", objection.reason, objection.remedy)
    return ok("litellm_version", f"LiteLLM {topology.litellm_version} can be redirected")


def engine_names(names: Iterable[str], topology: Topology) -> Iterator[Item]:
    """Look whether engines are named by model groups that there are."""
    for name, meant in unknown_engines(names, topology):
        yield warn(
            "engine_name",
            f"the engine {name} has the name of no model group, and so counts for none",
            f"Name it by the model group that it serves; {meant}",
        )


def wildcard_models(chosen: Mapping[str, str], topology: Topology) -> Iterator[Item]:
    """Say which model is drilled for which wildcard, and which choices have no effect."""
    standing = list(in_words(topology.standing))
    if standing:
        yield ok("wildcards", "; ".join(standing))
    for name in topology.wildcards:
        yield warn(
            "wildcards",
            f"no model stands for the wildcard {name}: LiteLLM lists none of its models, and so it "
            "is not drilled",
            f"Name a model that your clients use, in the configuration: {a_choice(name)}",
        )
    for one in ineffective(chosen, topology):
        yield warn("wildcard_name", one.message, one.remedy)


def permissions(groups: Mapping[str, ModelGroup], witness_url: str) -> Iterator[Item]:
    """Look which groups may be redirected to the witness."""
    lanes = lane_urls(witness_url)
    allowed: list[str] = []
    refused: list[str] = []
    for name, group in groups.items():
        may = all(permits(d.redirect_permission, lanes) for d in group.deployments)
        (allowed if may else refused).append(name)
    if allowed:
        named = some_of(allowed, MOST_NAMED)
        yield ok("permissions", f"may be redirected to {witness_url}: {named}", allowed)
    if refused:
        yield warn(
            "permissions",
            f"may not be redirected to {witness_url}: {some_of(refused, MOST_NAMED)}",
            "Write the lines that 'understudy init' prints into LiteLLM's configuration, or drill "
            "a twin: --injector twin --litellm-config FILE",
            refused,
        )
