"""May a drill run now? Budgets and engines are asked right before each one."""

import random
from collections.abc import Mapping

import aiohttp

from chaos.drill.campaign import Refusal
from chaos.drill.engine_load import read_counters
from chaos.drill.report import Spent
from chaos.faults.kinds import FAULTS
from chaos.gateway.prices import most_tokens, price_usd
from chaos.gateway.topology import Topology
from chaos.judge.check import Kind
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import Catalogue, DrillPlan, HopRole, PlannedHop, Scenario
from chaos.scenario.plan import DrillOptions, make_plan
from chaos.traffic.shapes import SHAPES

CATALOGUE = Catalogue(faults=FAULTS, shapes=SHAPES, surfaces=SURFACES, dialects=DIALECTS)


class Guard:
    """The guard of a campaign from the command line.

    Args:
        options: What the drills are planned with, so that the guard knows what they will send.

    Attributes:
        spent: Filled by the campaign as drills end; the guard compares it with the budget.
    """

    def __init__(
        self,
        topology: Topology,
        session: aiohttp.ClientSession,
        engines: Mapping[str, str],
        *,
        spent: Spent,
        budget_usd: float,
        options: DrillOptions,
    ) -> None:
        self.spent = spent
        self._topology = topology
        self._session = session
        self._engines = engines
        self._budget_usd = budget_usd
        self._options = options
        self._reserved_usd: dict[str, float] = {}

    def settle(self, scenario_key: str) -> None:
        """Give back what was reserved for a drill that has ended; ``spent`` knows its real cost."""
        self._reserved_usd.pop(scenario_key, None)

    async def may_run(self, scenario: Scenario) -> Refusal | None:
        """Refuse a drill that would cost too much, or that would make users wait."""
        return self._over_budget(scenario) or await self._engine_busy(scenario)

    def _over_budget(self, scenario: Scenario) -> Refusal | None:
        plan = self._plan(scenario)
        serving = next((hop for hop in plan.hops if hop.role is HopRole.SERVE), None)
        if plan.canary or serving is None:
            return None
        cost_usd = _most_usd(plan, serving)
        if cost_usd is None:
            return Refusal(
                Kind.OVER_BUDGET,
                f"nobody knows what a request to {serving.group!r} costs",
                "Give its deployment a price in LiteLLM's model_info, or drill without "
                "--real-keys.",
            )
        taken_usd = self.spent.cost_usd + sum(self._reserved_usd.values())
        if taken_usd + cost_usd <= self._budget_usd:
            self._reserved_usd[scenario.key] = cost_usd
            return None
        return Refusal(
            Kind.OVER_BUDGET,
            f"a drill of {serving.group!r} may cost {cost_usd:.4f} USD, and "
            f"{taken_usd:.4f} of {self._budget_usd:.4f} USD are spent or reserved",
            "Raise --budget-usd, or drill without --real-keys.",
        )

    def _plan(self, scenario: Scenario) -> DrillPlan:
        """Plan the very drill that will be sent; only its nonce will be another."""
        return make_plan(
            scenario, self._topology, CATALOGUE, self._options, rng=random.Random(0), injector=""
        )

    async def _engine_busy(self, scenario: Scenario) -> Refusal | None:
        engine = self._engines.get(scenario.expected_hop or "")
        counters = await read_counters(self._session, engine) if engine else None
        if counters is None or not counters.busy:
            return None
        return Refusal(
            Kind.ENGINE_BUSY,
            f"{counters.waiting:.0f} request(s) of users wait in the queue of "
            f"{scenario.expected_hop!r}",
            "Drill again when the engine has room; drills never make users wait longer.",
        )


def _most_usd(plan: DrillPlan, serving: PlannedHop) -> float | None:
    """Prompt and longest answer, at the dearest deployment, as often as it may be tried."""
    once_usd = price_usd(serving.deployments, *most_tokens(plan.task.ask))
    return None if once_usd is None else once_usd * serving.attempts_allowed
