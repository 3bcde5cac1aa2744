"""Tests of how often a gateway's own settings explain that it asks one group."""

from dataclasses import replace

import pytest

from chaos.gateway.topology import ModelGroup, RouterSettings
from chaos.scenario.attempts import attempts_allowed
from tests.fakes.topologies import deployment, group, topology

GATEWAY = topology({"g": []})


def allowed(statuses=None, *, of=None, **settings):
    """Count for a gateway with these settings."""
    gateway = replace(GATEWAY, settings=RouterSettings(**settings))
    return attempts_allowed(of or group("g"), gateway, statuses)


def test_without_a_setting_there_are_two_retries():
    """LiteLLM's own default."""
    assert allowed() == 3
    assert allowed({429}) == 3
    assert allowed(num_retries=0) == 1


@pytest.mark.parametrize("status", [400, 402, 404, 413, 422])
def test_what_can_never_succeed_is_tried_once(status):
    """LiteLLM retries no request that was wrong, whatever the general setting."""
    assert allowed({status}, num_retries=5) == 1
    assert allowed({status, 500}, num_retries=5) == 6


@pytest.mark.parametrize(
    ("status", "tries"),
    [(429, 5), (401, 1), (400, 4), (404, 7), (408, 2), (500, 3), (503, 3), (529, 3)],
)
def test_a_retry_policy_counts_for_its_own_errors_only(status, tries):
    """Four retries of rate limits explain no storm of anything else."""
    policy = {
        "RateLimitErrorRetries": 4,
        "AuthenticationErrorRetries": 0,
        "BadRequestErrorRetries": 0,
        "ContentPolicyViolationErrorRetries": 3,
        "NotFoundErrorRetries": 6,
        "TimeoutErrorRetries": 1,
        "InternalServerErrorRetries": 1,
        "ServiceUnavailableErrorRetries": 2,
    }
    assert allowed({status}, num_retries=9, retry_policy=policy) == tries


def test_an_error_without_an_entry_gets_the_default_of_the_policy_or_the_general_setting():
    """A policy that says nothing of an error leaves it alone."""
    assert allowed({429}, num_retries=1, retry_policy={"TimeoutErrorRetries": 5}) == 2
    policy = {"TimeoutErrorRetries": 5, "DefaultRetries": 3}
    assert allowed({429}, num_retries=1, retry_policy=policy) == 4


def test_a_policy_of_the_group_replaces_the_general_one():
    """LiteLLM takes one of the two."""
    policies = {"g": {"TimeoutErrorRetries": 3}, "other": {"TimeoutErrorRetries": 9}}
    general = {"RateLimitErrorRetries": 7}
    both = {"num_retries": 0, "retry_policy": general, "group_retry_policies": policies}
    assert allowed({408}, **both) == 4
    assert allowed({429}, **both) == 1


def test_a_deployments_own_retries_and_those_of_its_client_multiply():
    """``num_retries`` is LiteLLM's, ``max_retries`` that of the library below it."""
    assert allowed({500}, of=group("g", num_retries=5), num_retries=0) == 6
    assert allowed({500}, of=group("g", max_retries=2), num_retries=1) == 6
    assert allowed({400}, of=group("g", max_retries=2), num_retries=1) == 1


def test_each_order_is_gone_through():
    """A later order is LiteLLM's fallback inside the group."""
    ordered = ModelGroup("g", (deployment("g", order=1), deployment("g", order=2, id="b")))
    assert allowed({500}, of=ordered, num_retries=3) == 8
    balanced = ModelGroup("g", (deployment("g", order=1), deployment("g", order=1, id="b")))
    assert allowed({500}, of=balanced, num_retries=3) == 4


def test_weighted_failover_asks_every_deployment_and_a_redirected_one_once_more():
    """By redirect LiteLLM does not see that the deployment it asks is one of the group's."""
    weighted = {"num_retries": 0, "enable_weighted_failover": True}
    assert allowed({500}, **weighted) == 2
    two = ModelGroup("g", (deployment("g"), deployment("g", id="b")))
    assert allowed({500}, of=two, **weighted) == 3


def test_where_the_error_is_not_known_the_most_generous_setting_counts():
    """A spare hop may fail in any way."""
    assert allowed(num_retries=0, retry_policy={"RateLimitErrorRetries": 4}) == 5
