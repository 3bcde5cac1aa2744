"""A check that is wrong is worse than none."""

from typing import Any

import pytest

from chaos.gateway.topology import ModelGroup
from supervisor.audit.rules.health_checks import IGNORING, ROUTING, health_check_routing_on
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import deployment

CHECKS = {"background_health_checks": True}


def found(general, router=None, deployments=2):
    """What is wrong with these sections, where a group has so many deployments."""
    group = ModelGroup("a", tuple(deployment("a", id=str(n)) for n in range(deployments)))
    config: Any = {"general_settings": general, "router_settings": router or {}}
    return list(health_check_routing_on(audited({"a": []}, groups={"a": group}, config=config)))


@pytest.mark.parametrize(("deployments", "severity"), [(2, "warning"), (1, "info")])
def test_a_group_with_several_deployments_can_lose_a_good_one(deployments, severity):
    """A group of one keeps it: LiteLLM never takes the last one out."""
    (finding,) = found({**CHECKS, ROUTING: True}, deployments=deployments)
    subject = f"general_settings.{ROUTING}"
    assert brief([finding]) == [("health_check_routing_on", severity, subject)]


def test_it_may_stand_in_either_section():
    """The lines name the one where it is."""
    (finding,) = found(CHECKS, {ROUTING: True})
    assert finding.config == {"router_settings": {ROUTING: False}}


def test_where_passing_errors_pass_it_is_a_note():
    """A rate limit of the check's own takes nothing away then."""
    (finding,) = found({**CHECKS, ROUTING: True, IGNORING: True})
    assert finding.severity == "info"
    assert IGNORING not in finding.remedy


@pytest.mark.parametrize("general", [{}, CHECKS, {ROUTING: True}, {**CHECKS, ROUTING: False}])
def test_without_either_half_nothing_is_decided_by_checks(general):
    """Nor without the file, which alone shows it."""
    assert found(general) == []
    assert list(health_check_routing_on(audited({"a": []}))) == []
