"""The guard refuses drills that would cost too much or make users wait."""

import aiohttp
import pytest

from chaos.drill.report import Spent
from chaos.judge.check import Kind
from chaos.scenario.expand import Selection, expand
from chaos.scenario.plan import MAX_TOKENS, DrillOptions
from chaos.traffic.shape import ClientProfile
from supervisor.campaign.guard import CATALOGUE, Guard
from tests.fakes.http_server import answering
from tests.fakes.topologies import group, topology


def gateway(**prices):
    """A paid hop that falls back to another, and to a local one."""
    paid = group("backup", litellm_model="anthropic/backup", **prices)
    return topology({"claude": ["backup", "local"]}, {"backup": paid})


def scenario(depth, **prices):
    """A drill in which *depth* hops fail."""
    wanted = Selection(groups=("claude",), faults=("billing",), shapes=("chat",), depth=depth)
    return expand(gateway(**prices), wanted, CATALOGUE)[0]


REAL = DrillOptions(real_keys=True)


async def may_run(shape, *, budget, options):
    """What the guard says of a drill of one shape, whose serving hop is paid."""
    wanted = Selection(groups=("claude",), faults=("billing",), shapes=(shape,), depth=1)
    priced = gateway(**PRICED)
    async with aiohttp.ClientSession() as session:
        guard = Guard(priced, session, {}, spent=Spent(), budget_usd=budget, options=options)
        return await guard.may_run(expand(priced, wanted, CATALOGUE)[0])


STREAMED = Selection(
    groups=("claude",), faults=("billing",), shapes=("chat",), depth=1, stream=True
)


async def refusal(depth, *, spent=0.0, budget=0.0, real_keys=True, engines=None, **prices):
    """What the guard says of a drill."""
    counted = Spent()
    counted.cost_usd = spent
    async with aiohttp.ClientSession() as session:
        guard = Guard(
            gateway(**prices),
            session,
            engines or {},
            spent=counted,
            budget_usd=budget,
            options=DrillOptions(real_keys=real_keys),
        )
        return await guard.may_run(scenario(depth, **prices))


PRICED = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
ONE_ANSWER = MAX_TOKENS * 2e-6


async def test_money_is_reserved_before_it_is_spent():
    """A drill runs only where its longest answer and its prompt still fit the budget."""
    assert await refusal(1, budget=2 * ONE_ANSWER, **PRICED) is None
    refused = await refusal(1, budget=ONE_ANSWER, **PRICED)
    assert refused is not None
    assert refused.kind is Kind.OVER_BUDGET
    assert "--budget-usd" in refused.remedy
    assert await refusal(1, budget=2 * ONE_ANSWER, spent=ONE_ANSWER, **PRICED) is not None


async def test_drills_that_run_at_once_share_the_budget():
    """What one has reserved the other cannot spend, until it has ended."""
    one, two = scenario(1, **PRICED), expand(gateway(**PRICED), STREAMED, CATALOGUE)[0]
    async with aiohttp.ClientSession() as session:
        guard = Guard(
            gateway(**PRICED),
            session,
            {},
            spent=Spent(),
            budget_usd=1.5 * ONE_ANSWER,
            options=REAL,
        )
        assert await guard.may_run(one) is None
        assert await guard.may_run(two) is not None
        guard.settle(one.key)
        assert await guard.may_run(two) is None


async def test_an_agent_is_reserved_for_what_an_agent_may_use():
    """Fifteen thousand tokens of prompt and 32,000 of answer are no small change."""
    assert await may_run("agent", budget=0.06, options=REAL) is not None


async def test_a_client_profile_is_reserved_for_as_it_asks():
    """Its prompt, its longest answer and the number of its answers are what the provider bills."""
    assert await may_run("agent", budget=1.0, options=REAL) is None
    for profile in (
        ClientProfile(parameters={"max_tokens": 200_000, "n": 4}),
        ClientProfile(system="word " * 800_000),
    ):
        options = DrillOptions(real_keys=True, profile=profile)
        assert await may_run("agent", budget=1.0, options=options) is not None


async def test_a_long_context_never_costs_money():
    """It is answered by a stand-in whatever was allowed, so nothing is reserved for it."""
    assert await may_run("long_context", budget=0.0, options=REAL) is None


async def test_an_unknown_price_is_too_high():
    """Null means unknown, never free."""
    refused = await refusal(1, budget=100.0, input_cost_per_token=1e-6)
    assert refused is not None
    assert "nobody knows" in refused.reason


@pytest.mark.parametrize("drill", [{"depth": 2}, {"depth": 3}, {"depth": 1, "real_keys": False}])
async def test_what_costs_nothing_needs_no_budget(drill):
    """A local hop, everything down, or a stand-in."""
    assert await refusal(**drill) is None


async def test_users_never_wait_for_a_drill():
    """While the serving engine has a queue, it is not drilled."""
    for waiting, kind in ((2, Kind.ENGINE_BUSY), (0, None)):
        metrics = f"vllm:num_requests_waiting {waiting}\n".encode()
        with answering({"/metrics": (200, "text/plain", metrics)}) as url:
            refused = await refusal(2, engines={"local": url})
        assert (refused.kind if refused else None) is kind


async def test_an_engine_that_says_nothing_is_drilled():
    """Without metrics nothing follows about its queue."""
    with answering({}) as url:
        assert await refusal(2, engines={"local": url}) is None
