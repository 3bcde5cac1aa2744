"""May a drill run now? Budgets and engines are asked right before each one."""

from collections.abc import Mapping

import aiohttp

from chaos.campaign import Refusal
from chaos.check import Kind
from chaos.engine import read_counters
from chaos.report import Spent
from chaos.scenario import Scenario
from chaos.topology import Topology

TOKENS_RESERVED = 4096
"""Prompt and answer that one paid request is reserved for, before its real usage is known."""


class Guard:
    """The guard of a campaign from the command line.

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
        real_keys: bool,
    ) -> None:
        self.spent = spent
        self._topology = topology
        self._session = session
        self._engines = engines
        self._budget_usd = budget_usd
        self._real_keys = real_keys

    async def may_run(self, scenario: Scenario) -> Refusal | None:
        """Refuse a drill that would cost too much, or that would make users wait."""
        return self._over_budget(scenario) or await self._engine_busy(scenario)

    def _over_budget(self, scenario: Scenario) -> Refusal | None:
        serving = self._topology.find(scenario.expected_hop or "")
        if not self._real_keys or serving is None or serving.local:
            return None
        cost_usd = 0.0
        for deployment in serving.deployments:
            prices = (deployment.input_cost_per_token, deployment.output_cost_per_token)
            if None in prices:
                return Refusal(
                    Kind.OVER_BUDGET,
                    f"nobody knows what a request to {serving.name!r} costs",
                    "Give its deployment a price in LiteLLM's model_info, or drill without "
                    "--real-keys.",
                )
            cost_usd = max(cost_usd, TOKENS_RESERVED * sum(p for p in prices if p is not None))
        if self.spent.cost_usd + cost_usd <= self._budget_usd:
            return None
        return Refusal(
            Kind.OVER_BUDGET,
            f"a request to {serving.name!r} may cost {cost_usd:.4f} USD, and "
            f"{self.spent.cost_usd:.4f} of {self._budget_usd:.4f} USD are spent",
            "Raise --budget-usd, or drill without --real-keys.",
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
