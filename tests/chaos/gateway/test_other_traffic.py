"""Tests of what other traffic felt between two looks at the gateway."""

from dataclasses import replace

import pytest

from chaos.exposition import samples
from chaos.gateway.other_traffic import Listed, OtherTraffic, felt, read_other_traffic

LANES = ("http://127.0.0.1:8941/lane/0", "http://127.0.0.1:8941/lane/1")
BEFORE = OtherTraffic({"a": Listed("gpt", "https://api.example/v1"), "b": Listed("claude")})


def after(**changes):
    """The gateway as it was, but for this."""
    return felt(BEFORE, replace(BEFORE, **changes), LANES)


def with_deployments(**more):
    """The model list with these besides."""
    return {**BEFORE.deployments, **more}


def test_a_gateway_that_is_as_it_was_felt_nothing():
    """Nor does an administrator's new model mean anything."""
    assert after() == ()
    assert after(deployments=with_deployments(c=Listed("new", "https://new.example"))) == ()


def test_a_lane_that_is_left_in_the_model_list_serves_every_caller():
    """LiteLLM below 1.103 keeps it for good."""
    (left,) = after(deployments=with_deployments(c=Listed("gpt", LANES[1])))
    assert "points at the witness" in left


def test_a_deployment_that_vanished_is_missed():
    """Some gateways take one out at the first failure."""
    assert after(deployments={"a": BEFORE.deployments["a"]}) == (
        "deployment b vanished from group 'claude'",
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"failed_for_us": {"a": 2}}, "failed 2 times for requests of drills"),
        ({"cooled": {"b": 1}}, "was cooled down once"),
        ({"cooled": {"a": 1}, "failed": {"b": 3}}, "was cooled down once"),
    ],
)
def test_a_deployment_of_others_that_is_hurt_by_a_drill_is_collateral(changes, what):
    """It was asked by us, or cooled without a failure of its own."""
    (sentence,) = after(**changes)
    assert what in sentence


def test_what_fails_for_its_own_callers_is_no_collateral():
    """An incident is one whether we drill or not."""
    assert after(cooled={"a": 1}, failed={"a": 1}) == ()
    assert after(failed={"a": 5, "b": 1}) == ()


def test_what_was_there_before_does_not_count():
    """Counters go on for as long as the gateway runs; one that starts anew begins at zero."""
    before = replace(BEFORE, cooled={"a": 3})
    assert felt(before, before, LANES) == ()
    assert felt(before, BEFORE, LANES) == ()


def test_counters_that_fell_are_another_process_s_and_say_nothing():
    """A gateway with several workers answers with one of them, and the next time with another."""
    before = replace(BEFORE, failed={"b": 5})
    now = replace(BEFORE, failed={"b": 3}, cooled={"a": 2})
    assert felt(before, now, LANES) == ()
    assert felt(replace(BEFORE, failed={"b": 3}), now, LANES) != ()


def test_metrics_are_read_by_deployment_and_by_who_asked():
    """Recorded from LiteLLM 1.106.2, with fewer labels."""
    page = """
litellm_deployment_cooled_down_total{api_base="",exception_status="500",model_id="a"} 1.0
litellm_deployment_cooled_down_total{api_base="",exception_status="401",model_id="a"} 2.0
litellm_deployment_cooled_down_total{api_base="",exception_status="401",model_id="a lane's"} 9.0
litellm_deployment_failure_responses_total{model_id="b",user_agent="OpenAI/Python 2"} 4.0
litellm_deployment_failure_responses_total{model_id="b",user_agent="understudy"} 1.0
litellm_deployment_success_responses_total{model_id="b",user_agent="understudy"} 7.0
"""
    read = read_other_traffic(BEFORE.deployments, samples(page), agent="understudy")
    assert (read.cooled, read.failed, read.failed_for_us) == (
        {"a": 3},
        {"a": 2, "b": 4},
        {"b": 1},
    )


def test_a_key_that_a_provider_revoked_is_no_collateral():
    """LiteLLM counts no failure for an upstream's 401, only the cooldown that follows it."""
    page = 'litellm_deployment_cooled_down_total{exception_status="401",model_id="a"} 1.0\n'
    seen = read_other_traffic(BEFORE.deployments, samples(page), agent="understudy")
    assert felt(BEFORE, seen, LANES) == ()
