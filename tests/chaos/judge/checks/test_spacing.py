"""Tests of the check that a hop is left in peace between attempts."""

from dataclasses import replace

import pytest

from chaos.judge.checks.spacing import judge
from tests.fakes.observations import PASSED, deployment, faulted, outcome, plan, seen, served


def at(second, **changes):
    """Make an attempt that the fault answered at once."""
    return replace(faulted(), started_at_s=second, ended_at_s=second + 0.1, **changes)


def test_who_waits_as_long_as_the_hop_asked_does_right():
    """The pause counts from the answer on, and a tenth of it is not counted."""
    polite = seen(at(0, retry_after_s=2.0), at(2.0), served())
    assert outcome(plan(), polite) == PASSED


def test_who_comes_back_too_soon_hammers():
    """The message says what was asked for and what was waited."""
    rude = seen(at(0, retry_after_s=2.0), at(0.6), served())
    assert outcome(plan(), rude) == ("failed", "hammered")
    found = judge(plan(), rude)
    assert "2 s" in found.message
    assert "0.5 s" in found.message
    assert found.hop == "claude"


def test_an_attempt_at_another_deployment_is_no_return():
    """The other one has asked for nothing; where the wire cannot tell them apart nor can we."""
    two = replace(plan().hops[0], deployments=(deployment("claude"), deployment("other")))
    both = replace(plan(), hops=(two, *plan().hops[1:]))
    for first, second in (("id-claude", "id-other"), (None, None)):
        tried = seen(
            at(0, retry_after_s=9.0, deployment=first), at(0.2, deployment=second), served()
        )
        assert outcome(both, tried) == PASSED
    again = seen(at(0, retry_after_s=9.0, deployment="id-claude"), at(0.2, deployment="id-claude"))
    assert judge(both, again).kind == "hammered"


@pytest.mark.parametrize(("pause", "hammers"), [(0.5, True), (0.8, False)])
def test_a_burst_is_more_than_four_attempts_in_three_seconds(pause, hammers):
    """However many a setting allows: five at a time is what providers lock out."""
    wide = replace(plan(attempts_allowed=9))
    attempts = seen(*[at(n * pause) for n in range(5)], served())
    assert (outcome(wide, attempts) == ("failed", "hammered")) is hammers


def test_repetitions_below_the_gateway_are_no_attempts_of_their_own():
    """A connection that broke is tried once more by the HTTP client, at once."""
    wide = replace(plan(attempts_allowed=9))
    resets = seen(*[at(n * 0.1, status=None) for n in range(6)], served())
    assert outcome(wide, resets) == PASSED
