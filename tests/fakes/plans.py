"""Scenarios and plans for tests that need one and not how it comes about."""

import random

from chaos.faults.fault import FaultName
from chaos.gateway.topology import Topology
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import Selection, expand
from chaos.scenario.plan import DrillOptions, DrillPlan, Planner
from chaos.scenario.scenario import Scenario


def one_scenario(
    gateway: Topology,
    group: str = "paid",
    fault: str = "billing",
    shape: str = "chat",
    *,
    surface: str = "chat_completions",
    stream: bool = False,
    depth: int = 1,
) -> Scenario:
    """Find the one scenario that these words mean."""
    faults = (FaultName.parse(fault),)
    wanted = Selection((group,), faults, (shape,), (surface,), stream, depth)
    (found,) = expand(gateway, wanted, CATALOGUE)
    return found


def planner(gateway: Topology, injector: str = "redirect", **options) -> Planner:
    """Make plans whose nonces are always the same."""
    return Planner(gateway, CATALOGUE, DrillOptions(**options), random.Random(1), injector)


def plan_for(gateway: Topology, scenario: Scenario, **options) -> DrillPlan:
    """Plan one drill of *scenario*."""
    return planner(gateway, **options).plan(scenario)
