"""Tests of which deployments of the serving group have served."""

from dataclasses import replace

import pytest

from chaos.drill.requests.whole_group import MOST_RUNS, WholeGroup
from chaos.gateway.topology import ModelGroup
from chaos.judge.check import Kind, Result
from chaos.protocol.reading import Defect, DefectFound, Reading
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import cut, errored, fails, faulted, record, says, served
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


def reply(**changes):
    """What a deployment answered with status 200."""
    return by("b", served("local", **changes))


@pytest.mark.parametrize(
    "bad",
    [
        reply(reply=Reading(defects=(DefectFound(Defect.NOT_JSON, "<html>"),))),
        reply(reply=fails("CUDA out of memory")),
        reply(reply=says("")),
        reply(reply=cut("The w"), whole=False),
        by("b", record("local", AttemptOutcome.REFUSED, status=None)),
    ],
    ids=["html", "error inside", "empty", "cut", "hung"],
)
def test_an_answer_that_is_none_is_no_service(bad):
    """Another made it good, and this one is dead all the same."""
    group = group_of(engine("a"), engine("b"))
    for _ in range(2):
        group.note((bad, by("a", served("local"))))
    finding = group.finding()
    assert (finding.result, finding.kind) == (Result.FAILED, Kind.HOP_FAILED)


def test_a_deployment_that_wants_a_key_of_its_own_is_not_dead():
    """It turned the canary's key away, which says nothing of it."""
    group = group_of(engine("a"), engine("b"))
    group.note((by("b", errored("local", "Unauthorized", status=401)), by("a", served("local"))))
    finding = group.finding()
    assert (finding.result, finding.kind) == (Result.UNKNOWN, Kind.HOP_NOT_FORWARDABLE)
    assert "key" in str(finding.remedy)
