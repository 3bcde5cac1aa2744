"""A release that carried malware is told before anything else."""

from dataclasses import replace

import pytest

from chaos.gateway.releases import COMPROMISED
from supervisor.audit.rules import run_audits
from supervisor.audit.rules.compromised_release import gateway_version_compromised
from tests.fakes.audit_findings import audited

PLAIN = audited({"claude": ["gemma"], "gemma": []})


def running(version: str):
    """A gateway of this version."""
    return replace(PLAIN, topology=replace(PLAIN.topology, litellm_version=version))


@pytest.mark.parametrize("version", [*COMPROMISED, "1.82.8+local"])
def test_a_release_with_malware_is_an_error_that_says_what_to_do(version):
    """Keys are lost by then, whatever is installed next."""
    (found,) = gateway_version_compromised(running(version))
    assert (found.code, found.severity) == ("gateway_version_compromised", "error")
    assert "exchange every key" in found.remedy
    assert run_audits(running(version))[0].code == "gateway_version_compromised"


@pytest.mark.parametrize("version", ["1.82.6", "1.106.2", "1.107.1", "", "dev"])
def test_any_other_release_is_nothing(version):
    """Nor one that nobody can read."""
    assert not list(gateway_version_compromised(running(version)))
