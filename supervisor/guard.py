"""May a drill run now? Budgets and engines are asked right before each one."""

import json
from collections.abc import Mapping

import aiohttp

from chaos.campaign import Refusal
from chaos.check import Kind
from chaos.engine import read_counters
from chaos.plan import MAX_TOKENS_REASONING, attempts_allowed, pays
from chaos.report import Spent
from chaos.scenario import Scenario
from chaos.topology import ModelGroup, Topology
from chaos.traffic_shapes import SHAPES

NONCE = "0" * 8

CHARACTERS_PER_TOKEN = 3
"""Fewer than any tokenizer gets out of English, so that a prompt is never underrated."""


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
        self._reserved_usd: dict[str, float] = {}

    def settle(self, scenario_key: str) -> None:
        """Give back what was reserved for a drill that has ended; ``spent`` knows its real cost."""
        self._reserved_usd.pop(scenario_key, None)

    async def may_run(self, scenario: Scenario) -> Refusal | None:
        """Refuse a drill that would cost too much, or that would make users wait."""
        return self._over_budget(scenario) or await self._engine_busy(scenario)

    def _over_budget(self, scenario: Scenario) -> Refusal | None:
        serving = self._topology.find(scenario.expected_hop or "")
        if not self._real_keys or not pays(scenario, serving) or serving is None:
            return None
        cost_usd = self._most_usd(scenario, serving)
        if cost_usd is None:
            return Refusal(
                Kind.OVER_BUDGET,
                f"nobody knows what a request to {serving.name!r} costs",
                "Give its deployment a price in LiteLLM's model_info, or drill without "
                "--real-keys.",
            )
        taken_usd = self.spent.cost_usd + sum(self._reserved_usd.values())
        if taken_usd + cost_usd <= self._budget_usd:
            self._reserved_usd[scenario.key] = cost_usd
            return None
        return Refusal(
            Kind.OVER_BUDGET,
            f"a drill of {serving.name!r} may cost {cost_usd:.4f} USD, and "
            f"{taken_usd:.4f} of {self._budget_usd:.4f} USD are spent or reserved",
            "Raise --budget-usd, or drill without --real-keys.",
        )

    def _most_usd(self, scenario: Scenario, serving: ModelGroup) -> float | None:
        """Prompt and longest answer, at the dearest deployment, as often as it may be tried."""
        ask = SHAPES[scenario.shape].task(NONCE, max_tokens=MAX_TOKENS_REASONING).ask
        written = ask.text + json.dumps([tool.parameters for tool in ask.tools])
        prompt = len(written) / CHARACTERS_PER_TOKEN
        answer = ask.max_tokens or MAX_TOKENS_REASONING
        most_usd = 0.0
        for deployment in serving.deployments:
            price_in, price_out = deployment.input_cost_per_token, deployment.output_cost_per_token
            if price_in is None or price_out is None:
                return None
            most_usd = max(most_usd, prompt * price_in + answer * price_out)
        return most_usd * attempts_allowed(serving, self._topology)

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
