"""What is decided before a drill's request is sent."""

import random
from dataclasses import replace

from chaos.faults.kinds import FAULTS
from chaos.gateway.topology import ModelGroup, RouterSettings
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import Catalogue, HopRole, Selection, expand
from chaos.scenario.plan import (
    BUDGET_FACTOR,
    MAX_TOKENS,
    DrillOptions,
    asking_directly,
    attempts_allowed,
)
from chaos.scenario.plan import make_plan as plan_of
from chaos.traffic.shapes import SHAPES
from tests.fakes.topologies import deployment, group, topology

CATALOGUE = Catalogue(faults=FAULTS, shapes=SHAPES, surfaces=SURFACES, dialects=DIALECTS)
CHAIN = {"paid": ["backup", "local-last"], "backup": [], "local-last": []}
GATEWAY = topology(CHAIN)


def make(gateway=GATEWAY, *, depth=1, fault="billing", attempt=1, **options):
    """Plan one drill on *gateway*."""
    wanted = Selection(("paid",), (fault,), ("chat",), ("chat_completions",), False, depth)
    (scenario,) = expand(gateway, wanted, CATALOGUE)
    rng = random.Random(1)
    return plan_of(
        scenario,
        gateway,
        CATALOGUE,
        DrillOptions(**options),
        rng=rng,
        injector="redirect",
        attempt=attempt,
    )


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


def test_attempts_are_one_and_the_retries_for_each_order():
    """What the gateway's own settings explain is no storm."""
    settings = RouterSettings(num_retries=3)
    ordered = ModelGroup("g", (deployment("g", order=1), deployment("g", order=2, id="b")))
    assert attempts_allowed(ordered, replace(GATEWAY, settings=settings)) == 8
    unsaid = replace(GATEWAY, settings=RouterSettings())
    assert attempts_allowed(group("g"), unsaid) == 3
    policy = RouterSettings(num_retries=0, retry_policy={"RateLimitErrorRetries": 4})
    assert attempts_allowed(group("g"), replace(GATEWAY, settings=policy)) == 5


def test_retries_of_one_deployment_or_one_group_are_no_storm():
    """LiteLLM goes by them instead of its general setting."""
    assert attempts_allowed(group("g", num_retries=5), GATEWAY) == 6
    policies = {"g": {"TimeoutErrorRetries": 3}, "other": {"TimeoutErrorRetries": 9}}
    settings = RouterSettings(num_retries=0, group_retry_policies=policies)
    assert attempts_allowed(group("g"), replace(GATEWAY, settings=settings)) == 4


def test_a_second_try_may_spend_four_times_the_tokens():
    """Reasoning that took everything gets one more chance."""
    assert make().task.ask.max_tokens == MAX_TOKENS
    assert make(attempt=2).task.ask.max_tokens == BUDGET_FACTOR * MAX_TOKENS


def test_temperature_is_sent_only_where_every_hop_accepts_it():
    """Some models refuse any but their own."""
    steady = {
        name: group(name, litellm_model=f"anthropic/{name}", accepts_temperature=True)
        for name in CHAIN
    }
    assert make().task.ask.temperature is None
    assert make(topology(CHAIN, groups=steady)).task.ask.temperature == 0.0


def test_the_first_token_is_never_due_after_the_whole_reply():
    """A short deadline shortens both."""
    assert make(deadline_s=5.0).first_token_s == 5.0


def test_asking_directly_is_the_serving_hop_without_a_fault():
    """What it says when nothing has gone wrong tells who is to blame."""
    direct = asking_directly(make(depth=2).scenario)
    assert (direct.group, direct.chain, direct.faults) == ("local-last", ("local-last",), {})
    plan = plan_of(
        direct, GATEWAY, CATALOGUE, DrillOptions(), rng=random.Random(1), injector="redirect"
    )
    assert [h.role for h in plan.hops] == [HopRole.SERVE]


def test_asked_by_an_alias_the_groups_own_name_is_no_other_server():
    """LiteLLM names the group itself in its headers, and rightly."""
    alias = replace(GATEWAY, other_names={"best": group("best")}, aliases={"best": "paid"})
    wanted = Selection(("best",), ("billing",), ("chat",), ("chat_completions",), False, 1)
    (scenario,) = expand(alias, wanted, CATALOGUE)
    plan = plan_of(
        scenario, alias, CATALOGUE, DrillOptions(), rng=random.Random(1), injector="redirect"
    )
    assert plan.known_groups == {"backup", "local-last"}
    assert [d.id for d in plan.hops[0].deployments] == ["best-id"]


def test_a_long_context_is_never_sent_for_money():
    """It is rehearsed with a stand-in, real keys or not."""
    wanted = Selection(("paid",), ("billing",), ("long_context",), ("chat_completions",), False, 1)
    (scenario,) = expand(GATEWAY, wanted, CATALOGUE)
    plan = plan_of(
        scenario,
        GATEWAY,
        CATALOGUE,
        DrillOptions(real_keys=True),
        rng=random.Random(1),
        injector="redirect",
    )
    assert plan.canary
    assert all(hop.stand_in for hop in plan.hops if hop.group != "local-last")
