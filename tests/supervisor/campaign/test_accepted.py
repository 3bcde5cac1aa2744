"""Failures that the user accepts, until their day."""

from datetime import date

from chaos.judge.check import Kind
from chaos.judge.known_gaps import explanation
from supervisor.campaign.accepted import Accepted
from supervisor.settings.model import AcceptedFailure
from tests.fakes.failures import failed_finding, failure

LATE, FAILED = failed_finding(Kind.TOO_LATE), failed_finding(Kind.HOP_FAILED, hop="local")


def accepted(**entry):
    """An entry of the configuration."""
    values = {"scenario": "claude/*", "until": date(2026, 12, 1), "reason": "slow", **entry}
    return Accepted(AcceptedFailure.model_validate(values))


def test_an_accepted_failure_explains_its_scenarios_and_no_others():
    """The pattern is for scenario keys; the source says until when, and why."""
    assert accepted().explains(failure(LATE))
    assert not accepted(scenario="gpt/*").explains(failure(LATE))
    assert accepted().source == "accepted until 2026-12-01: slow"


def test_what_breaks_later_on_the_same_drill_was_never_accepted():
    """Slowness that is known does not hide a hop that fails."""
    assert not accepted().explains(failure(FAILED, LATE))
    assert accepted(kinds=["too_late", "hop_failed"]).explains(failure(FAILED, LATE))
    assert not accepted(kinds=["too_late"]).explains(failure(FAILED))


def test_an_entry_may_be_about_one_hop():
    """Another hop that fails alike is another failure."""
    assert accepted(hop="local").explains(failure(FAILED))
    assert not accepted(hop="other").explains(failure(FAILED))


def test_what_others_felt_cannot_be_accepted():
    """Nobody accepts for users who are not asked."""
    collateral = failed_finding(Kind.COLLATERAL)
    assert explanation([accepted(kinds=["collateral"])], failure(collateral)) is None
