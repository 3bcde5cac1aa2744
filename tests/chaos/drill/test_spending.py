"""Money is reserved before it is spent, and settled from the wire."""

from datetime import UTC, datetime

import pytest

from chaos.drill.drill import NOTHING_YET, Drill
from chaos.drill.spending import Spending
from chaos.judge.check import Kind
from chaos.judge.observation import Observation
from chaos.judge.verdict import Outcome, Verdict
from chaos.scenario.plan import MAX_TOKENS
from chaos.traffic.shape import ClientProfile
from tests.fakes.plans import one_scenario, plan_for, planner
from tests.fakes.topologies import group, topology

PRICED = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
ONE_ANSWER = MAX_TOKENS * 2e-6
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def gateway(**prices):
    """A paid hop that falls back to another, and to a local one."""
    paid = group("backup", litellm_model="anthropic/backup", **prices)
    return topology({"claude": ["backup", "local"]}, {"backup": paid})


def refusal(depth=1, *, spent=0.0, budget=0.0, shape="chat", options=None, **prices):
    """What is said of a drill before it runs."""
    spending = Spending(budget)
    spending.cost_usd = spent
    asked = gateway(**prices)
    scenario = one_scenario(asked, "claude", shape=shape, depth=depth)
    return spending.reserve(plan_for(asked, scenario, **{"real_keys": True, **(options or {})}))


def test_money_is_reserved_before_it_is_spent():
    """A drill runs only where its longest answer and its prompt still fit the budget."""
    assert refusal(budget=2 * ONE_ANSWER, **PRICED) is None
    refused = refusal(budget=ONE_ANSWER, **PRICED)
    assert refused is not None
    assert refused.kind is Kind.OVER_BUDGET
    assert "--budget-usd" in refused.remedy
    assert refusal(budget=2 * ONE_ANSWER, spent=ONE_ANSWER, **PRICED) is not None


def test_drills_that_run_at_once_share_the_budget():
    """What one has reserved the other cannot spend, until it has ended."""
    asked = gateway(**PRICED)
    made = planner(asked, real_keys=True)
    # The same scenario twice: what is reserved is a plan's, not a scenario's.
    one, two = (made.plan(one_scenario(asked, "claude")) for _ in range(2))
    spending = Spending(1.5 * ONE_ANSWER)
    assert spending.reserve(one) is None
    assert spending.reserve(two) is not None
    spending.settle(ended(one))
    assert spending.reserve(two) is None


def ended(plan):
    """A drill of *plan* in which nothing was sent."""
    return Drill(plan, Verdict(Outcome.ABORTED, None, ()), Observation(NOTHING_YET), NOW, 0)


def test_an_agent_is_reserved_for_what_an_agent_may_use():
    """Fifteen thousand tokens of prompt and 32,000 of answer are no small change."""
    assert refusal(shape="agent", budget=0.06, **PRICED) is not None


def test_a_client_profile_is_reserved_for_as_it_asks():
    """Its prompt, its longest answer and the number of its answers are what the provider bills."""
    assert refusal(shape="agent", budget=1.0, **PRICED) is None
    for profile in (
        ClientProfile(parameters={"max_tokens": 200_000, "n": 4}),
        ClientProfile(system="word " * 800_000),
    ):
        options = {"profile": profile}
        assert refusal(shape="agent", budget=1.0, options=options, **PRICED) is not None


def test_a_long_context_never_costs_money():
    """It is answered by a stand-in whatever was allowed, so nothing is reserved for it."""
    assert refusal(shape="long_context", budget=0.0, **PRICED) is None


def test_an_unknown_price_is_too_high():
    """Null means unknown, never free."""
    refused = refusal(budget=100.0, input_cost_per_token=1e-6)
    assert refused is not None
    assert "no price" in refused.reason


@pytest.mark.parametrize("drill", [{"depth": 2}, {"depth": 3}, {"options": {"real_keys": False}}])
def test_what_costs_nothing_needs_no_budget(drill):
    """A local hop, everything down, or a stand-in."""
    assert refusal(**drill) is None
