"""Tests of which deployments of the serving group have served."""

from dataclasses import replace

from chaos.drill.whole_group import MOST_RUNS, WholeGroup
from chaos.gateway.topology import ModelGroup
from chaos.judge.check import Result
from tests.fakes.observations import errored, faulted, served
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import deployment, topology


def engine(name, at="http://127.0.0.1:8000/v1"):
    """Make one deployment of the local group."""
    return deployment("local", litellm_model=f"hosted_vllm/{name}", id=name, base_url=at)


def group_of(*deployments, **options):
    """Look at a local group of these deployments."""
    gateway = topology(
        {"paid": ["local"], "local": []}, groups={"local": ModelGroup("local", deployments)}
    )
    return WholeGroup.of(plan_for(gateway, one_scenario(gateway), **options))


def by(name, record):
    """Say which deployment an attempt was at."""
    return replace(record, deployment=name, model=name)


def test_a_group_of_one_upstream_needs_no_second_run():
    """Two entries for one engine are one engine."""
    assert group_of(engine("a")) is None
    same = replace(engine("a"), id="again")
    assert group_of(engine("a"), same) is None
    assert group_of(engine("a"), engine("b")) is not None
    assert group_of(engine("a"), replace(same, base_url="http://127.0.0.1:8001/v1")) is not None


def test_it_goes_on_until_each_has_served():
    """Whatever other hops do."""
    group = group_of(engine("a"), engine("b"))
    group.note((faulted("paid"), by("a", served("local"))))
    assert group.goes_on
    group.note((faulted("paid"), by("b", served("local"))))
    assert not group.goes_on
    assert group.finding().result is Result.PASSED


def test_one_that_only_fails_is_dead_though_another_made_it_good():
    """It takes a retry of every second request."""
    group = group_of(engine("a"), engine("b"))
    for _ in range(2):
        group.note((by("b", errored("local", "boom")), by("a", served("local"))))
    finding = group.finding()
    assert (finding.result, finding.hop) == (Result.FAILED, "local")
    assert "1 of 2 deployments" in finding.message
    assert "boom" in finding.message


def test_one_that_failed_and_then_served_is_alive():
    """A transient error made good."""
    group = group_of(engine("a"), engine("b"))
    group.note((by("b", errored("local")), by("a", served("local"))))
    group.note((by("b", served("local")),))
    assert group.finding().result is Result.PASSED


def test_one_that_is_never_asked_leaves_the_hop_partly_proven():
    """The runs come to an end."""
    group = group_of(engine("a"), engine("b"))
    for _ in range(2 * MOST_RUNS):
        assert group.goes_on
        group.note((by("a", served("local")),))
    assert not group.goes_on
    assert group.finding().result is Result.UNKNOWN
    assert "b at http://127.0.0.1:8000/v1" in group.finding().message
