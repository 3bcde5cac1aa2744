"""Failures that the user accepts, until their day."""

from datetime import date

from chaos.judge.check import Kind
from supervisor.campaign.accepted import Accepted
from supervisor.settings.model import AcceptedFailure
from tests.fakes.plans import one_scenario
from tests.fakes.topologies import topology

GATEWAY = topology({"claude": ["local-gemma"], "gpt": ["local-gemma"]})


def test_an_accepted_failure_explains_its_scenarios_and_no_others():
    """The pattern is for scenario keys; the source says until when, and why."""
    entry = AcceptedFailure(scenario="claude/*", until=date(2026, 12, 1), reason="being mended")
    accepted = Accepted(entry)
    mine, other = one_scenario(GATEWAY, "claude"), one_scenario(GATEWAY, "gpt")
    assert accepted.explains("1.106.2", mine, Kind.TOO_LATE, None)
    assert not accepted.explains("1.106.2", other, Kind.TOO_LATE, None)
    assert accepted.source == "accepted until 2026-12-01: being mended"
