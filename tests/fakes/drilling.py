"""A drill through a small honest gateway, with all that it needs."""

import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from chaos.clock import Clock, SystemClock
from chaos.drill.drill import Drill, always
from chaos.drill.driller import Driller
from chaos.drill.injectors.redirect import Redirect
from chaos.gateway.client import Gateway
from chaos.judge.checks import CHECKS
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.plan import DrillOptions, Planner
from chaos.witness.server import Witness
from tests.fakes.gateway import FakeGateway
from tests.fakes.plans import one_scenario
from tests.fakes.topologies import group, topology

PAID = group("paid", litellm_model="openai/paid")
OTHER = replace(PAID.deployments[0], id="other-id", upstream_model="other")
BACKUP = group("backup", litellm_model="openai/backup")
GATEWAY = topology({"paid": ["backup"], "backup": []}, groups={"paid": PAID, "backup": BACKUP})


@dataclass(frozen=True)
class Drills:
    """Plans and drills one scenario after the other."""

    session: aiohttp.ClientSession
    options: DrillOptions = field(default_factory=DrillOptions)
    clock: Clock = field(default_factory=SystemClock)
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    collateral: Any = None
    may_sample: Any = always
    secrets: frozenset[str] = frozenset()

    async def drill(self, scenario, injector) -> Drill:
        """Plan *scenario* for the gateway of *injector*, and carry it out."""
        planner = Planner(injector.topology, CATALOGUE, self.options, self.rng, injector.name)
        driller = Driller(
            session=self.session,
            planners={injector.name: planner},
            injectors={injector.name: injector},
            checks=CHECKS,
            clock=self.clock,
            collateral=self.collateral,
            may_sample=self.may_sample,
            secrets=self.secrets,
        )
        return await driller.drill(planner.plan(scenario))


@asynccontextmanager
async def drilling(gateway, **options):
    """Everything that a drill needs, against *gateway*."""
    async with (
        Witness().serving([("127.0.0.1", 0)]) as witness,
        aiohttp.ClientSession() as session,
        gateway.running() as url,
    ):
        asked = Gateway(session, url, key="sk-drill", admin_key="sk")
        injector = Redirect(witness, GATEWAY, gateway=asked)
        yield Drills(session, DrillOptions(**options)), injector, witness


def scenario(fault="billing", shape="tool_call", *, stream=False, depth=1):
    """Choose one scenario of the little gateway."""
    return one_scenario(GATEWAY, "paid", fault, shape, stream=stream, depth=depth)


def honest():
    """A gateway that walks its chain."""
    return FakeGateway({"paid": ["paid", "backup"]})
