"""Decide everything about a drill before its request is sent."""

import random
from dataclasses import dataclass, replace

from chaos.faults.fault import FaultName, Phase
from chaos.gateway.topology import ModelGroup, Topology
from chaos.scenario.expand import Catalogue, DrillPlan, HopRole, PlannedHop, Scenario
from chaos.traffic.shape import ClientProfile, Task

LITELLM_RETRIES = 2
"""Retries where the gateway names none. Source: ``openai.DEFAULT_MAX_RETRIES``, LiteLLM 1.106.2."""

MAX_TOKENS = 512
MAX_TOKENS_REASONING = 2048
BUDGET_FACTOR = 4
"""How much more a second try gets when all tokens went into reasoning."""


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """What holds for every drill of a campaign.

    Attributes:
        real_keys: Hops that cost money may be called with the gateway's own keys.
    """

    deadline_s: float = 60.0
    first_token_s: float = 30.0
    real_keys: bool = False
    profile: ClientProfile | None = None


def make_plan(
    scenario: Scenario,
    topology: Topology,
    catalogue: Catalogue,
    options: DrillOptions,
    *,
    rng: random.Random,
    injector: str,
    attempt: int = 1,
    nonce: str | None = None,
) -> DrillPlan:
    """Plan one drill of *scenario*.

    Args:
        rng: Gives the nonce and the id, so that a seed replays a campaign.
        nonce: That of an earlier drill, to ask the very same thing again.
        attempt: From the second on, the answer may be ``BUDGET_FACTOR`` times as long.
    """
    nonce = nonce or f"{rng.getrandbits(32):08x}"
    serving = topology.find(scenario.expected_hop or "")
    real = options.real_keys and pays(scenario, serving)
    real = real and not catalogue.shapes[scenario.shape].long  # never a long context for money
    max_tokens = _max_tokens(serving) * (BUDGET_FACTOR if attempt > 1 else 1)
    hops = tuple(
        _hop(place, group, scenario, topology, real=real)
        for place, group in enumerate(scenario.chain)
    )
    return DrillPlan(
        id=f"{rng.getrandbits(48):012x}",
        scenario=scenario,
        nonce=nonce,
        task=_task(scenario, topology, catalogue, nonce, max_tokens, options.profile),
        hops=hops,
        phase=_phase(scenario, catalogue),
        deadline_s=options.deadline_s,
        first_token_s=min(options.first_token_s, options.deadline_s),
        canary=not real,
        injector=injector,
        attempt=attempt,
        # Whoever asks by an alias is told the group's own name, and rightly.
        known_groups=frozenset(topology.groups) - {topology.aliases.get(scenario.group)},
    )


def asking_directly(scenario: Scenario) -> Scenario:
    """The serving hop alone, without a fault: what it answers when nothing has gone wrong."""
    serving = scenario.expected_hop or scenario.group
    return replace(scenario, group=serving, chain=(serving,), depth=0, faults={})


def _hop(
    place: int, group: str, scenario: Scenario, topology: Topology, *, real: bool
) -> PlannedHop:
    model_group = topology.find(group) or ModelGroup(group, ())
    role = HopRole.SPARE
    if place < scenario.depth:
        role = HopRole.FAIL
    elif place == scenario.depth:
        role = HopRole.SERVE
    pays = not model_group.local
    return PlannedHop(
        group=group,
        role=role,
        deployments=model_group.deployments,
        attempts_allowed=attempts_allowed(model_group, topology),
        fault=FaultName.parse(scenario.faults[group]) if role is HopRole.FAIL else None,
        stand_in=pays and not (real and role is HopRole.SERVE),
    )


def pays(scenario: Scenario, serving: ModelGroup | None) -> bool:
    """Tell whether a real answer of the serving hop costs money."""
    return scenario.expected_hop is not None and serving is not None and not serving.local


def attempts_allowed(group: ModelGroup, topology: Topology) -> int:
    """Count the attempts that the gateway's own settings explain at one group.

    One and its retries, once more for each ``order`` of its deployments. Which of several
    settings for retries LiteLLM goes by depends on the error: the highest explains them all.
    """
    settings = topology.settings
    general = settings.num_retries if settings.num_retries is not None else LITELLM_RETRIES
    own = (d.num_retries for d in group.deployments if d.num_retries is not None)
    policies = (settings.retry_policy, settings.group_retry_policies.get(group.name, {}))
    retries = max([general, *own, *(n for policy in policies for n in policy.values())])
    orders = {deployment.order for deployment in group.deployments} or {None}
    return (1 + retries) * len(orders)


def _phase(scenario: Scenario, catalogue: Catalogue) -> Phase:
    first = scenario.faults.get(scenario.chain[0])
    if first is None:
        return Phase.BEFORE_FIRST_BYTE
    return catalogue.faults[FaultName.parse(first).name].phase


def _max_tokens(serving: ModelGroup | None) -> int:
    if serving is not None and any(d.supports_reasoning for d in serving.deployments):
        return MAX_TOKENS_REASONING
    return MAX_TOKENS


def _task(
    scenario: Scenario,
    topology: Topology,
    catalogue: Catalogue,
    nonce: str,
    max_tokens: int,
    profile: ClientProfile | None,
) -> Task:
    task = catalogue.shapes[scenario.shape].task(nonce, max_tokens=max_tokens, profile=profile)
    contacted = [group for name in scenario.chain if (group := topology.find(name))]
    steady = all(d.accepts_temperature for group in contacted for d in group.deployments)
    if steady and not task.ask.inputs:
        return replace(task, ask=replace(task.ask, temperature=0.0))
    return task
