"""Tests of the check that the gateway tells truly who served."""

from dataclasses import replace

import pytest

from tests.fakes.observations import (
    PASSED,
    faulted,
    got,
    outcome,
    plan,
    refused,
    says,
    seen,
    served,
    where,
)

RIGHT = {
    "x-litellm-model-group": "gemma",
    "x-litellm-attempted-fallbacks": "1",
    "x-litellm-model-id": "id-gemma",
}


def _told(headers=RIGHT, **reading):
    return seen(faulted(), served(), reply=got(says(**reading), headers=headers))


@pytest.mark.parametrize(
    "model", ["claude", "gemma", "gemma-upstream", "provider/gemma-upstream", "an-alias"]
)
def test_the_served_hops_names_the_requested_name_and_strange_ones_are_no_lies(model):
    """Only a name that belongs to another hop contradicts the wire."""
    assert outcome(plan(), _told(models=(model,))) == PASSED


@pytest.mark.parametrize(
    "headers",
    [
        {**RIGHT, "x-litellm-model-group": "claude"},
        {**RIGHT, "x-litellm-model-group": "bystander"},
        {**RIGHT, "x-litellm-attempted-fallbacks": "0"},
        {**RIGHT, "x-litellm-model-id": "id-claude"},
    ],
)
def test_headers_that_name_another_hop_are_a_lie(headers):
    """Group, count and deployment are compared with who served on the wire."""
    assert outcome(plan(), _told(headers)) == ("failed", "misreported")
    assert where(plan(), _told(headers)) == "gateway"


@pytest.mark.parametrize("model", ["claude-upstream", "provider/claude-upstream", "bystander"])
def test_a_model_field_that_names_another_hop_is_a_lie(model):
    """The reply itself says that somebody else wrote it."""
    assert outcome(plan(), _told(models=(model,))) == ("failed", "misreported")


def test_the_last_word_of_a_stream_counts():
    """A stream that began with the primary's name may end with the right one."""
    assert outcome(plan(), _told(models=("claude-upstream", "gemma-upstream"))) == PASSED


def test_no_headers_are_no_lie():
    """Error replies and other gateways carry none."""
    assert outcome(plan(), _told({})) == PASSED
    assert outcome(plan(depth=2), seen(faulted(), faulted("gemma"), reply=refused())) == PASSED


def test_a_fallback_that_never_was_is_a_lie():
    """A primary that served after a retry was no fallback."""
    once = plan(fault="server_error.once")
    headers = {"x-litellm-model-group": "claude", "x-litellm-attempted-fallbacks": "1"}
    lying = seen(faulted(), served("claude"), reply=got(headers=headers))
    assert outcome(once, lying) == ("failed", "misreported")
    headers["x-litellm-attempted-fallbacks"] = "0"
    assert outcome(once, seen(faulted(), served("claude"), reply=got(headers=headers))) == PASSED


def test_a_fallback_that_was_tried_may_be_counted():
    """A hop that failed before the primary served again was an attempted fallback."""
    once = plan(fault="server_error.once", local=("gemma",))
    headers = {"x-litellm-model-group": "claude", "x-litellm-attempted-fallbacks": "1"}
    tried = seen(faulted(), served("gemma"), served("claude"), reply=got(headers=headers))
    assert outcome(once, tried) == PASSED


def test_a_step_inside_the_group_may_be_counted_as_a_fallback():
    """LiteLLM takes another order, or weighted failover, for one; the group served all the same."""
    headers = {"x-litellm-model-group": "claude", "x-litellm-attempted-fallbacks": "1"}
    once = plan(fault="rate_limit.once")
    told = seen(faulted(), served("claude"), reply=got(headers=headers))
    assert outcome(once, told) == ("failed", "misreported")
    ordered = replace(once, hops=(replace(once.hops[0], fails_over=True), *once.hops[1:]))
    assert outcome(ordered, told) == PASSED
