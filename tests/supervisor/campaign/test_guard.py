"""The guard keeps drills away from engines in which users wait."""

from dataclasses import replace

import aiohttp

from chaos.gateway.topology import ModelGroup
from chaos.judge.check import Kind
from chaos.scenario.expectation import Expectation, Expected
from supervisor.campaign.guard import Guard, engine_of
from tests.fakes.http_server import answering
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import deployment, group, topology


def plan_of(depth, **local):
    """A drill in which *depth* hops fail, before a local one."""
    groups = {"local": group("local", litellm_model="hosted_vllm/local", **local)}
    gateway = topology({"claude": ["backup", "local"]}, groups)
    return plan_for(gateway, one_scenario(gateway, "claude", depth=depth))


async def refusal(plan, urls=None):
    """What the guard says of a drill."""
    async with aiohttp.ClientSession() as session:
        return await Guard(session, urls or {}).may_run(plan)


async def test_users_never_wait_for_a_drill():
    """While the serving engine has a queue, it is not drilled."""
    for waiting, kind in ((2, Kind.ENGINE_BUSY), (0, None)):
        metrics = f"vllm:num_requests_waiting {waiting}\n".encode()
        with answering({"/metrics": (200, "text/plain", metrics)}) as url:
            refused = await refusal(plan_of(2), {"local": url})
            assert (refused.kind if refused else None) is kind
            # Without a setting it is asked where the gateway has it.
            refused = await refusal(plan_of(2, base_url=f"{url}/v1"))
            assert (refused.kind if refused else None) is kind


async def test_an_engine_that_says_nothing_is_drilled():
    """Without metrics nothing follows about its queue."""
    with answering({}) as url:
        assert await refusal(plan_of(2), {"local": url}) is None


async def test_a_drill_that_no_engine_serves_is_not_held_up():
    """A paid hop, or none: there is no queue of ours."""
    assert engine_of(plan_of(1)) is None
    assert engine_of(plan_of(3)) is None


def test_only_a_group_with_one_address_has_an_engine_to_ask():
    """Of two engines behind one name nobody knows which one will serve."""
    plan = plan_of(2)
    (hop,) = (hop for hop in plan.hops if hop.group == "local")
    assert engine_of(plan) == hop.deployments[0].base_url
    model = "hosted_vllm/local"
    two = tuple(
        deployment("local", litellm_model=model, base_url=f"http://{host}") for host in "ab"
    )
    gateway = topology({"claude": ["local"]}, {"local": ModelGroup("local", two)})
    assert engine_of(plan_for(gateway, one_scenario(gateway, "claude"))) is None


async def test_a_model_that_is_not_loaded_is_not_drilled():
    """It would evict the one in use; unless there is a window for that."""
    answers = {"/api/ps": (200, "application/json", b'{"models": [{"name": "qwen:latest"}]}')}
    with answering(answers) as url:
        cold = plan_of(2, base_url=url, local=True, provider="ollama", upstream_model="gemma3")
        refused = await refusal(cold)
        assert refused is not None
        assert refused.kind is Kind.WOULD_EVICT
        assert "would have to load gemma3, and qwen:latest is in use" in refused.reason
        async with aiohttp.ClientSession() as session:
            assert await Guard(session, {}, lambda: True).may_run(cold) is None
        warm = plan_of(2, base_url=url, local=True, provider="ollama", upstream_model="qwen")
        assert await refusal(warm) is None
        # vLLM keeps what it was started with, and is not asked.
        assert await refusal(plan_of(2, base_url=url)) is None


async def test_a_drill_that_reaches_no_engine_waits_for_none():
    """Where a refusal is expected, the witness answers for whoever is asked."""
    metrics = b"vllm:num_requests_waiting 2\n"
    with answering({"/metrics": (200, "text/plain", metrics)}) as url:
        closed = replace(plan_of(2), expectation=Expectation("*", Expected.REFUSED, "policy"))
        assert await refusal(closed, {"local": url}) is None
