"""Run one file of the corpus: its LiteLLM, its upstreams, and its cases by the product's code."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from chaos.drill.drill import Drill
from chaos.drill.events import CampaignEnded, DrillEnded
from chaos.drill.injector import TwinOptions
from chaos.drill.report import DrillRow, row_of
from chaos.faults.fault import FaultName
from chaos.gateway.client import Gateway, open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import LANES, redirect_permission
from chaos.gateway.topology import Topology
from chaos.judge.known_gaps import load
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_ollama import SimulatedOllama
from chaos.lab.simulated_provider import SimulatedProvider, simulated_provider
from chaos.process.ports import free_port
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import Profile, Selection, expand
from chaos.scenario.expectation import Expectation, Expected
from chaos.scenario.plan import DrillOptions
from chaos.scenario.scenario import Scenario
from chaos.witness.server import Witness
from tests.corpus.format import WELL, Case, CorpusFile, Deployment
from tests.patience import reply_time_s, scaled

UNMEASURED_REPLY_S = 0.5
EVERY_S = 0.5
"""From one request of an outage to the next."""

"""A twin is started for each round, and asked for nothing before."""

NO_LIMIT_USD = 1e6
"""Nothing in the corpus costs money: what would is a server of the test's own."""


@dataclass(frozen=True, slots=True)
class Came:
    """How a case came out, with LiteLLM's version."""

    row: DrillRow
    version: str


@dataclass(frozen=True, slots=True)
class _Gateway:
    """The gateway of one file, and what drills of it share.

    Attributes:
        gateway: None where a twin of the file is drilled.
        twin: How that is started.
    """

    gateway: Gateway | None
    witness: Witness
    reply_s: float
    twin: TwinOptions = field(default_factory=TwinOptions)


def litellm_config(
    spec: CorpusFile, *, engines: Mapping[str, str], servers: Mapping[str, str], witness_port: int
) -> dict[str, Any]:
    """Write LiteLLM's configuration.

    Args:
        engines: Base URL by the engine's name.
        servers: Base URL of the local servers by dialect.
    """
    config: dict[str, Any] = {**spec.litellm}
    router = dict(config.get("router_settings") or {})
    for name in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks"):
        chains = [*router.get(name, ())]
        chains += [{k: v} for k, v in (spec.fallbacks if name == "fallbacks" else {}).items()]
        chains += [{k: v} for case in spec.cases for k, v in getattr(case, name).items()]
        if chains:
            router[name] = chains
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }

    def params(deployment: Deployment) -> dict[str, Any]:
        base = {}
        if deployment.engine is not None:
            base = {"api_base": engines[deployment.engine]}
        elif deployment.local is not None:
            base = {"api_base": servers[deployment.dialect or ""]}
        else:
            base = {"api_key": "sk-corpus-0123456789abcdef"}
        return {
            "model": deployment.model,
            **base,
            **(permission if deployment.redirect else {}),
            **deployment.params,
        }

    model_list = [
        {"model_name": name, "litellm_params": params(one), "model_info": one.info}
        for name, deployments in spec.all_groups().items()
        for one in deployments
    ]
    return {**config, "model_list": model_list, "router_settings": router}


async def run_file(
    spec: CorpusFile, *, executable: Path, directory: Path, by_twin: bool = False
) -> dict[str, Came]:
    """Run every case of *spec*; tells how each came out, by name.

    Args:
        directory: Takes LiteLLM's configuration and log.
        by_twin: A version that keeps what a redirect says; what only a redirect shows is left out.
    """
    port, key = free_port(), f"sk-{secrets.token_hex(24)}"
    async with AsyncExitStack() as stack:
        engines = {
            name: await stack.enter_async_context(SimulatedEngine(flags))
            for name, flags in spec.engine_flags().items()
        }
        ollamas = {
            name: await stack.enter_async_context(SimulatedOllama(flags))
            for name, flags in spec.ollama_flags().items()
        }
        server = await stack.enter_async_context(simulated_provider())
        _misbehave(spec, server)
        if spec.hooks is not None:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "hooks.py").write_text(spec.hooks, "utf-8")
        dialects = {d.dialect for group in spec.all_groups().values() for d in group}
        config = litellm_config(
            spec,
            engines={
                **{name: engine.base_url for name, engine in engines.items()},
                **{name: ollama.base_url for name, ollama in ollamas.items()},
            },
            servers={name: server.base_url(name) for name in dialects if name is not None},
            witness_port=port,
        )
        witness = Witness(f"http://127.0.0.1:{port}")
        await stack.enter_async_context(witness.serving([("127.0.0.1", port)]))
        if by_twin or spec.by_twin:
            return await _by_twin(spec, config, witness, executable, directory)
        litellm = await stack.enter_async_context(
            running_litellm(executable, config, directory=directory, master_key=key)
        )
        gateway = await stack.enter_async_context(open_gateway(litellm.url, key=key, admin_key=key))
        steady = next(name for name, served in spec.all_groups().items() if _is_steady(served))
        reply_s = await reply_time_s(litellm.url, key, steady, at_once=LANES)
        running = _Gateway(gateway, witness, reply_s)
        came: dict[str, Came] = {}
        for cases in _rounds(spec.cases):
            came |= await _campaign(running, cases)
        return came


async def _by_twin(
    spec: CorpusFile,
    config: Mapping[str, Any],
    witness: Witness,
    executable: Path,
    directory: Path,
) -> dict[str, Came]:
    """Drill twins of a gateway that does not run."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "gateway.yaml"
    file.write_text(yaml.safe_dump(dict(config)), "utf-8")
    twin = TwinOptions(config_file=file, executable=executable)
    running = _Gateway(None, witness, UNMEASURED_REPLY_S, twin)
    came: dict[str, Came] = {}
    for cases in _rounds(case for case in spec.cases if not case.by_redirect_only):
        came |= await _campaign(running, cases)
    return came


def _is_steady(deployments: Sequence[Deployment]) -> bool:
    """Find a group whose reply can be timed: the engine ``good`` of every file serves it."""
    return all(one.engine == "good" for one in deployments)


def _misbehave(spec: CorpusFile, server: SimulatedProvider) -> None:
    for deployments in spec.all_groups().values():
        for one in deployments:
            if one.local not in (None, WELL):
                server.fails_with(one.local or "", dialect=one.dialect, model=one.upstream_model)


def _rounds(cases: Iterable[Case]) -> list[list[Case]]:
    """Put together what can share a campaign: the same limits; loners last, each by itself."""
    together: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    for case in cases:
        limits = (
            *(case.deadline_s, case.first_token_s, case.at_most_s),
            *(case.real_keys, case.ends, case.recover_within_s),
        )
        together[(case.alone, case.name if case.alone else "", *limits)].append(case)
    # The longest first, so that their waiting is not all there is at the end.
    return [together[key] for key in sorted(together, key=lambda key: (key[0], str(key)))]


async def _campaign(running: _Gateway, cases: Sequence[Case]) -> dict[str, Came]:
    limits = cases[0]
    first_token_s = scaled(
        limits.first_token_s or limits.deadline_s, running.reply_s, at_most=limits.at_most_s
    )
    deadline_s = first_token_s
    if limits.first_token_s is not None:
        deadline_s = scaled(limits.deadline_s, running.reply_s)
    options = RehearsalOptions(
        injector="redirect" if running.gateway is not None else "twin",
        twin=replace(running.twin, cooldowns=limits.ends),
        drills=DrillOptions(
            deadline_s,
            first_token_s,
            every_s=EVERY_S,
            recover_within_s=limits.recover_within_s,
            real_keys=limits.real_keys,
            expectations=tuple(
                Expectation(case.scenario.key, case.should, case.source)
                for case in cases
                if case.should is not Expected.SERVED
            ),
        ),
        budget_usd=NO_LIMIT_USD,
        concurrency=LANES,
    )
    drills: dict[str, Drill] = {}
    async with Rehearsal.opened(running.gateway, options, witness=running.witness) as rehearsal:
        assignments = rehearsal.plan([scenario_of(case, rehearsal.topology) for case in cases])
        names = {a.plan.id: case.name for a, case in zip(assignments, cases, strict=True)}
        async for event in rehearsal.run(assignments):
            if isinstance(event, DrillEnded):
                drills[names[event.drill.plan.id]] = event.drill
            if isinstance(event, CampaignEnded) and event.revised is not None:
                drills[names[event.revised.plan.id]] = event.revised
    version, gaps = rehearsal.topology.litellm_version, load()
    return {
        name: Came(row_of(drill, litellm_version=version, gaps=gaps), version)
        for name, drill in drills.items()
    }


def scenario_of(case: Case, topology: Topology) -> Scenario:
    """Find the one scenario that *case* means, as the product makes it.

    Raises:
        ValueError: There is none: the fault, the shape and the surface do not go together.
    """
    drill = case.drill
    selection = Selection(
        groups=(drill.group,),
        faults=(FaultName.parse(drill.fault),),
        shapes=(drill.shape,),
        surfaces=(drill.surface,),
        stream=drill.stream,
        depth=drill.depth,
        profile=Profile.EXHAUSTIVE,
    )
    found = expand(topology, selection, CATALOGUE)
    if len(found) != 1:
        raise ValueError(f"case {case.name!r} is {len(found)} scenarios of this gateway, not one")
    return found[0]


def difference(case: Case, came: Came) -> str | None:
    """Say how a case came out otherwise than expected; None if it did not."""
    row, expected = came.row, case.expected_on(came.version)
    decided = next((f for f in row.findings if f.kind is not None and f.kind is row.kind), None)
    got: dict[str, object] = {
        "outcome": row.outcome.value,
        "kind": row.kind,
        "where": decided.where if decided else None,
        "hop": decided.hop if decided else None,
    }
    wanted: dict[str, object] = {"outcome": expected.outcome, "kind": expected.kind}
    wanted |= {"where": expected.where} if expected.where is not None else {}
    wanted |= {"hop": expected.hop} if expected.hop is not None else {}
    if all(got[name] == value for name, value in wanted.items()):
        return None
    lines = [
        f"{case.name} ({row.scenario.key})",
        f"  expected {_told(wanted)}",
        f"  got      {_told(got)}",
    ]
    if expected.outcome == "failed" and row.outcome.value == "passed":
        lines.append(
            f"  It passes now: LiteLLM {came.version} may have mended it; see {case.source}. If "
            "so, move it to the healthy cases, and end the range of its row in known_gaps.yaml."
        )
    lines += [
        f"  {f.result.value} {f.check}: {f.message}" for f in row.findings if f.kind is not None
    ]
    lines += [
        f"  hop {h.group}: {h.outcome}, {h.attempts} attempts, status {h.status}"
        + (f", {h.fault}" if h.fault else "")
        for h in row.hops
    ]
    lines.append(f"  reply: status {row.reply.status}, {row.reply.total_s} s")
    return "\n".join(lines)


def _told(parts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)
