"""Fetch what audits look at: the topology, what each engine says, LiteLLM's own file.

Nothing here sends a model request.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from chaos.errors import UsageError
from chaos.gateway.client import Gateway
from chaos.gateway.config_file import read_litellm_config
from chaos.gateway.redirect_permission import lane_urls
from chaos.gateway.topology import ModelGroup, Topology
from chaos.http_client import open_session
from supervisor.audit.finding import Audited, is_engine
from supervisor.engine.capacity import from_log, merge
from supervisor.engine.facts import EngineFacts, read_all
from supervisor.engine.inspection import Inside, Note, look_inside
from supervisor.settings.model import EngineSettings, Settings


async def gather(
    gateway: Gateway, settings: Settings, litellm_config: Path | None = None
) -> Audited:
    """Ask the gateway and its local engines, and read LiteLLM's file if one is named.

    Raises:
        GatewayError: The gateway cannot be asked.
        UsageError: The file cannot be read.
    """
    config = read_litellm_config(litellm_config) if litellm_config else None
    topology = await gateway.topology()
    caches = await gateway.caches()
    topology = replace(topology, settings=replace(topology.settings, caches=caches))
    return Audited(
        topology=topology,
        witness_urls=lane_urls(settings.witness.url),
        wildcards=topology.standing,
        config=config,
        engines=await ask_engines(topology, settings.engines),
        named=frozenset(settings.engines),
        open_groups=await gateway.open_groups(),
        clients={
            name: asked_by
            for name in (*topology.groups, *topology.other_names)
            if (asked_by := settings.rehearse.of(name).asked_by)
        },
    )


async def ask_engines(
    topology: Topology, engines: Mapping[str, EngineSettings]
) -> tuple[EngineFacts, ...]:
    """Ask each local engine once for each group that it serves, and look inside if allowed.

    Args:
        engines: By group, where this machine reaches them; else the gateway's own address.
    """
    wanted: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, group in topology.groups.items():
        for deployment in group.deployments:
            told = engines.get(name)
            url = told.url if told else deployment.base_url if is_engine(deployment) else None
            if url is None:
                continue
            asked = wanted.setdefault(name, {})
            asked[url] = tuple(dict.fromkeys((*asked.get(url, ()), deployment.upstream_model)))
    keys, trouble = engine_keys(engines)
    looked = await asyncio.gather(*(look_inside(engine) for engine in engines.values()))
    insides = dict(zip(engines, looked, strict=True))
    async with open_session() as session:
        said = await read_all(session, wanted, keys)
    return tuple(_with_inside(one, insides.get(one.group), trouble.get(one.group)) for one in said)


def engine_keys(
    engines: Mapping[str, EngineSettings],
) -> tuple[dict[str, str], dict[str, Note]]:
    """Fetch the engines' own keys; one that cannot be read is a note."""
    keys, trouble = {}, {}
    for name, engine in engines.items():
        try:
            if engine.key is not None:
                keys[name] = engine.key.reveal().get_secret_value()
        except UsageError as error:
            trouble[name] = Note(error.message, error.remedy)
    return keys, trouble


def _with_inside(facts: EngineFacts, inside: Inside | None, trouble: Note | None) -> EngineFacts:
    """Add what the log and the package say to what the engine says over HTTP."""
    if inside is None:
        return facts
    notes = (*inside.notes, *([trouble] if trouble else []))
    inside = replace(inside, notes=notes)
    if inside.log is None:
        return replace(facts, inside=inside)
    return replace(facts, inside=inside, capacity=merge(facts.capacity, from_log(inside.log)))


def shown_groups(topology: Topology) -> Mapping[str, ModelGroup]:
    """List the groups by the names that the configuration gives them, wildcards too."""
    patterns = {group: pattern for pattern, group in topology.standing.items()}
    return {patterns.get(name, name): group for name, group in topology.groups.items()}
