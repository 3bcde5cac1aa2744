"""How the user says that a drill should end."""

from dataclasses import replace

from chaos.gateway.topology import ModelGroup
from chaos.scenario.expectation import AS_USUAL, Expectation, Expected
from chaos.scenario.plan import DrillOptions, HopRole
from tests.fakes.plans import one_scenario, plan_for, planner
from tests.fakes.topologies import deployment, topology

GATEWAY = topology({"paid": ["local"], "local": []})
REFUSED = Expectation("paid/*", Expected.REFUSED, "policy")


def test_an_expectation_covers_the_scenarios_of_its_pattern():
    """The same patterns as for accepted failures."""
    assert REFUSED.covers("paid/general/1/billing/chat/chat_completions/whole")
    assert not REFUSED.covers("local/general/1/billing/chat/chat_completions/whole")


def test_the_first_that_covers_a_scenario_counts():
    """An exception is written before its rule; of the rest nothing is expected but an answer."""
    scenario = one_scenario(GATEWAY)
    exception = Expectation("paid/*/billing/*", Expected.ERROR, "an exception")
    other = Expectation("other/*", Expected.ERROR, "others")
    assert DrillOptions(expectations=(other, exception, REFUSED)).expectation_of(scenario) == (
        exception
    )
    assert DrillOptions(expectations=(REFUSED, exception)).expectation_of(scenario) == REFUSED
    assert DrillOptions(expectations=(other,)).expectation_of(scenario) == AS_USUAL


def test_it_is_decided_once_in_the_plan():
    """What is derived from the plan keeps it; what asks without a fault expects an answer."""
    made = planner(GATEWAY, expectations=(REFUSED,))
    plan = made.plan(one_scenario(GATEWAY))
    assert plan.expect is Expected.REFUSED
    assert made.retry(plan).expectation == made.again(plan).expectation == REFUSED
    assert made.direct(plan).expect is Expected.SERVED
    assert made.undisturbed(plan, 1.0).expect is Expected.SERVED


def test_no_hop_may_serve_where_no_answer_is_expected():
    """Neither the next hop, nor one that fails only once."""
    for outcome, groups in (
        (Expected.SERVED, {"paid", "local"}),
        (Expected.REFUSED, set()),
        (Expected.ERROR, set()),
    ):
        options = (replace(REFUSED, outcome=outcome),)
        scenario = one_scenario(GATEWAY, fault="server_error.once")
        assert plan_for(GATEWAY, scenario, expectations=options).may_serve == groups


def test_a_hop_that_nobody_may_reach_is_not_reached_by_a_drill():
    """A refusal proves no hop: the witness stands in for all of them, for free."""
    plan = plan_for(GATEWAY, one_scenario(GATEWAY), real_keys=True, expectations=(REFUSED,))
    (serving,) = (hop for hop in plan.hops if hop.role is HopRole.SERVE)
    assert serving.stand_in
    assert not plan_for(GATEWAY, one_scenario(GATEWAY)).hops[1].stand_in
    two = ModelGroup("dear", (deployment("dear"),))
    paid = topology({"paid": ["dear"], "dear": []}, {"dear": two})
    assert not plan_for(paid, one_scenario(paid), real_keys=True).canary
    assert plan_for(paid, one_scenario(paid), real_keys=True, expectations=(REFUSED,)).canary
