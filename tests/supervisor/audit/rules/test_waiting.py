"""Waiting that nobody would guess from the configuration is told."""

import pytest

from chaos.gateway.topology import RouterSettings
from supervisor.audit.rules.waiting import no_timeout, retries_delay_fallback
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group

CHAINS = {"claude": ["local"], "alone": []}


def settings(**values):
    """A gateway with one chain and these settings."""
    return audited(CHAINS, settings=RouterSettings(**values))


@pytest.mark.parametrize("timeout_s", [None, 6000.0])
def test_a_hang_without_a_timeout_is_told_once(timeout_s):
    """Only groups that have something to fall back to wait for nothing."""
    (finding,) = no_timeout(settings(timeout_s=timeout_s))
    assert brief([finding]) == [("no_timeout", "warning", "router_settings.timeout")]
    assert finding.groups == ("claude",)
    assert "'alone'" not in finding.message


def test_a_timeout_of_the_router_or_of_each_deployment_is_well():
    """Either ends the hang."""
    assert brief(no_timeout(settings(timeout_s=60.0))) == []
    own = {"claude": group("claude", timeout_s=30.0)}
    assert brief(no_timeout(audited(CHAINS, groups=own))) == []


@pytest.mark.parametrize(("retries", "tries"), [(None, "3 times"), (1, "2 times")])
def test_retries_before_a_fallback_are_told(retries, tries):
    """Unset means two of them."""
    (finding,) = retries_delay_fallback(settings(num_retries=retries))
    assert finding.severity == "warning"
    assert tries in finding.message


def test_no_retries_or_nothing_to_fall_back_to_is_well():
    """Without a chain retries are all that a caller has."""
    assert brief(retries_delay_fallback(settings(num_retries=0))) == []
    assert brief(retries_delay_fallback(audited({"alone": []}, settings=RouterSettings()))) == []


def test_a_policy_without_retries_for_rate_limits_leaves_a_note():
    """What waits longest is mended then."""
    policy = {"RateLimitErrorRetries": 0}
    found = brief(retries_delay_fallback(settings(num_retries=2, retry_policy=policy)))
    assert [severity for _, severity, _ in found] == ["info"]
