"""What is decided before a drill's request is sent."""

from dataclasses import replace

import pytest

from chaos.gateway.topology import ModelGroup, RouterSettings
from chaos.gateway.virtual_key import VirtualKey
from chaos.scenario.expectation import Expectation, Expected
from chaos.scenario.plan import BUDGET_FACTOR, MAX_TOKENS, HopRole
from chaos.traffic.shape import ClientProfile
from tests.fakes.plans import one_scenario, plan_for, planner
from tests.fakes.topologies import deployment, group, topology

CHAIN = {"paid": ["backup", "local-last"], "backup": [], "local-last": []}
GATEWAY = topology(CHAIN)


def make(gateway=GATEWAY, *, depth=1, fault="billing", **options):
    """Plan one drill on *gateway*."""
    return plan_for(gateway, one_scenario(gateway, fault=fault, depth=depth), **options)


def test_hops_fail_serve_or_are_spare_by_depth():
    """Up to the depth they fail, then one serves, the rest should not be needed."""
    assert [h.role for h in make(depth=1).hops] == [HopRole.FAIL, HopRole.SERVE, HopRole.SPARE]
    assert [h.role for h in make(depth=3).hops] == [HopRole.FAIL] * 3


def test_paid_hops_are_stood_in_for_and_local_ones_are_called():
    """The default budget is nothing."""
    assert [(h.group, h.stand_in) for h in make(depth=2).hops] == [
        ("paid", True),
        ("backup", True),
        ("local-last", False),
    ]


def test_real_keys_call_only_the_hop_that_must_serve():
    """The permission to pay is not one to pay for spares."""
    plan = make(depth=1, real_keys=True)
    assert not plan.canary
    assert [h.stand_in for h in plan.hops] == [True, False, False]


def test_real_keys_change_nothing_where_the_serving_hop_is_local():
    """No key is needed, so none is used."""
    assert make(depth=2, real_keys=True).canary


def test_what_is_allowed_at_a_hop_goes_by_its_fault():
    """A 400 is tried once, silence as often as the gateway retries; of spares nobody knows."""
    settings = RouterSettings(num_retries=2, retry_policy={"TimeoutErrorRetries": 4})
    gateway = replace(GATEWAY, settings=settings)
    openai = {
        "billing": 1,
        "rate_limit": 3,
        "model_retired": 1,
        "hang": 5,
        "connection_reset": 5,
        "empty_200": 5,
    }
    for fault, allowed in openai.items():
        failing, serving, _ = make(gateway, fault=fault).hops
        assert (fault, failing.attempts_allowed) == (fault, allowed)
        assert serving.attempts_allowed == 5


def test_a_group_with_orders_and_no_chain_is_its_own_fallback():
    """Only its first order fails, so the next one has to serve."""
    first = deployment("g", order=1, id="a")
    group_ = ModelGroup("g", (first, deployment("g", order=2, id="b")))
    gateway = topology({"g": [], "local": []}, groups={"g": group_})
    plan = make_of(gateway, "g")
    assert (plan.hops[0].spared, plan.may_serve) == ({"b"}, {"g"})
    chained = topology({"g": ["local"], "local": []}, groups={"g": group_})
    plan = make_of(chained, "g")
    assert (plan.hops[0].spared, plan.may_serve) == (frozenset(), {"local"})


def make_of(gateway, name):
    """Plan one drill of the group *name*."""
    return plan_for(gateway, one_scenario(gateway, name))


def test_a_second_try_may_spend_four_times_the_tokens():
    """Reasoning that took everything gets one more chance."""
    assert make().task.ask.max_tokens == MAX_TOKENS
    made = planner(GATEWAY)
    first = made.plan(one_scenario(GATEWAY))
    second = made.retry(first)
    assert second.task.ask.max_tokens == BUDGET_FACTOR * MAX_TOKENS
    assert (second.id, second.attempt) == (first.id, 2)
    assert second.nonce != first.nonce


def test_temperature_is_sent_only_where_every_hop_accepts_it():
    """Some models refuse any but their own."""
    steady = {
        name: group(name, litellm_model=f"anthropic/{name}", accepts_temperature=True)
        for name in CHAIN
    }
    assert make().task.ask.temperature is None
    assert make(topology(CHAIN, groups=steady)).task.ask.temperature == 0.0


def test_nothing_is_added_to_what_a_client_really_sends():
    """A temperature of ours beside its thinking would be refused; its headers go with it."""
    steady = {
        name: group(name, litellm_model=f"anthropic/{name}", accepts_temperature=True)
        for name in CHAIN
    }
    gateway = topology(CHAIN, groups=steady)
    asked = one_scenario(gateway, shape="agent.claude_code", surface="messages")
    own = ClientProfile(headers={"x-ours": "1"}, name="ours.yaml")
    plan = planner(gateway, profile=own).plan(asked)
    assert plan.task.ask.temperature is None
    assert plan.task.headers["User-Agent"].startswith("claude-cli/")
    assert "x-ours" not in plan.task.headers
    assert plan.client == "claude_code"


def test_a_profile_of_the_user_s_own_goes_with_every_shape():
    """Its headers are sent, and its name is reported."""
    own = ClientProfile(headers={"x-ours": 1}, name="ours.yaml")
    plan = planner(GATEWAY, profile=own).plan(one_scenario(GATEWAY))
    assert plan.task.headers == {"x-ours": "1"}
    assert plan.client == "ours.yaml"
    assert planner(GATEWAY).plan(one_scenario(GATEWAY)).client is None


def test_the_first_token_is_never_due_after_the_whole_reply():
    """A short deadline shortens both."""
    assert make(deadline_s=5.0).first_token_s == 5.0


def test_asking_directly_is_the_serving_hop_without_a_fault():
    """What it says when nothing has gone wrong tells who is to blame."""
    made = planner(GATEWAY)
    plan = made.plan(one_scenario(GATEWAY, depth=2))
    direct = made.direct(plan)
    scenario = direct.scenario
    assert (scenario.group, scenario.chain, scenario.faults) == ("local-last", ("local-last",), {})
    assert [h.role for h in direct.hops] == [HopRole.SERVE]
    assert direct.id == plan.id


def test_asked_by_an_alias_the_groups_own_name_is_no_other_server():
    """LiteLLM names the group itself in its headers, and rightly."""
    alias = replace(GATEWAY, other_names={"best": group("best")}, aliases={"best": "paid"})
    plan = plan_for(alias, one_scenario(alias, "best"))
    assert plan.known_groups == {"backup", "local-last"}
    assert [d.id for d in plan.hops[0].deployments] == ["best-id"]


def test_a_long_context_is_never_sent_for_money():
    """It is rehearsed with a stand-in, real keys or not."""
    scenario = one_scenario(GATEWAY, shape="long_context")
    plan = plan_for(GATEWAY, scenario, real_keys=True)
    assert plan.canary
    assert all(hop.stand_in for hop in plan.hops if hop.group != "local-last")


def test_a_hop_that_the_key_may_not_ask_for_is_known():
    """LiteLLM does not say why it did not ask it."""
    key = VirtualKey("team-a", models=frozenset({"paid", "backup"}))
    hops = make(replace(GATEWAY, caller=key)).hops
    assert [hop.closed_to for hop in hops] == [None, None, "team-a"]
    assert {hop.closed_to for hop in make().hops} == {None}


@pytest.mark.parametrize(
    ("fault", "depth", "expected", "down_s"),
    [
        ("outage", 1, Expected.SERVED, 20.0),
        ("outage.seconds_60", 1, Expected.SERVED, 60.0),
        ("outage", 1, Expected.REFUSED, None),
        ("server_error", 1, Expected.SERVED, None),
    ],
)
def test_a_fault_that_ends_has_a_course(fault, depth, expected, down_s):
    """Where an answer is expected: what should be refused is shown by one request."""
    wish = Expectation("*", expected, "policy")
    options = {"every_s": 3.0, "recover_within_s": 9.0, "expectations": (wish,)}
    plan = make(fault=fault, depth=depth, **options)
    assert (plan.course.down_s if plan.course else None) == down_s
    if plan.course is not None:
        assert (plan.course.every_s, plan.course.recover_within_s) == (3.0, 9.0)
        assert plan.most_s > plan.course.most_s > down_s
