"""The closing rule: what a pass rests on, whatever the checks found."""

from dataclasses import replace

import pytest

from chaos.faults.fault import Phase
from chaos.judge.check import Kind
from chaos.judge.closing import close
from chaos.judge.verdict import Outcome, judge
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    cut,
    fails,
    faulted,
    got,
    plan,
    record,
    refused,
    says,
    seen,
    served,
    usual,
)


def closed(of, observation):
    """What the rule comes to, with no check to help it."""
    verdict = judge(of, observation, ())
    return verdict.outcome, verdict.kind


def stood_in(group, **changes):
    """The witness answered for a hop."""
    return replace(served(group, **changes), outcome=AttemptOutcome.STOOD_IN, forwarded=False)


def test_a_hop_s_own_answer_is_a_pass():
    """The client got what the expected hop replied."""
    assert closed(plan(), usual()) == (Outcome.PASSED, None)


def test_no_check_can_let_anything_else_pass():
    """Without a single check, every one of these would have passed once."""
    for observation, kind in (
        (seen(faulted()), Kind.WRONG_HOP),
        (seen(faulted(), served("bystander")), Kind.WRONG_HOP),
        (seen(faulted(), served(), reply=got(says("Another answer altogether."))), None),
        (seen(faulted(), reply=refused()), Kind.ANSWER_DEGRADED),
        (seen(faulted(), served(), reply=got(says(""))), Kind.ANSWER_DEGRADED),
    ):
        outcome, found = closed(plan(), observation)
        assert outcome is Outcome.FAILED
        assert kind is None or found is kind


def test_a_stand_in_of_a_spare_is_not_the_expected_hop_s_answer():
    """The local hop's reply could not be used, the gateway moved on, and the witness answered."""
    three = plan(chain=("claude", "gemma", "spare"))
    broken = record("gemma", AttemptOutcome.SERVED, status=200, reply=says(""))
    finding = close(three, seen(faulted(), broken, stood_in("spare")))
    assert (finding.kind, finding.hop) == (Kind.HOP_FAILED, "gemma")
    assert "spare answered instead" in finding.message


def test_one_changed_word_is_not_the_hop_s_own_answer():
    """The bytes are at hand, so they are compared."""
    own = says("The lamp is lit again, and the token is 3fa91c02.")
    changed = says("The lamp is out again, and the token is 3fa91c02.")
    observation = seen(faulted(), served(reply=own), reply=got(changed))
    assert closed(plan(), observation) == (Outcome.FAILED, Kind.ANSWER_DEGRADED)


def test_a_reply_that_was_not_kept_cannot_be_compared():
    """That is no failure, and no pass."""
    unread = seen(faulted(), replace(served(), reply=None))
    assert closed(plan(), unread) == (Outcome.INCONCLUSIVE, Kind.MODEL_UNRELIABLE)


def test_a_stand_in_passes_unless_a_real_answer_is_required():
    """Routing is proven by it; the hop is not."""
    routed = seen(faulted(), stood_in("gemma"))
    assert closed(plan(), routed) == (Outcome.PASSED, None)
    strict = replace(plan(), require_real=True)
    assert closed(strict, routed) == (Outcome.INCONCLUSIVE, Kind.HOP_NOT_FORWARDABLE)
    assert closed(strict, usual()) == (Outcome.PASSED, None)


@pytest.mark.parametrize("depth", [1, 2])
def test_an_error_is_a_pass_only_where_the_scenario_allows_one(depth):
    """With everything down one honest error is right; otherwise somebody had to serve."""
    down = seen(faulted(), faulted("gemma"), reply=refused())
    passes = closed(plan(depth=depth), down)[0] is Outcome.PASSED
    assert passes is (depth == 2)


def test_an_error_that_is_none_of_the_surface_s_is_no_honest_one():
    """A web page, or nothing, tells a client's library nothing."""
    page = got(replace(fails(), error=None, text=""), status=502)
    assert closed(plan(depth=2), seen(faulted(), faulted("gemma"), reply=page))[0] is Outcome.FAILED


MID_STREAM = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The word", Outcome.PASSED),
        ("The  word is", Outcome.PASSED),
        ("Buy gold now!", Outcome.FAILED),
        ("The word is The word is", Outcome.FAILED),
    ],
)
def test_what_came_before_an_honest_error_is_a_hop_s_own(text, outcome):
    """The user has read it, whatever was said afterwards."""
    half = faulted(stream=True, status=200, reply=cut("The word is"), whole=False)
    reply = got(replace(cut(text), error=fails().error))
    assert closed(MID_STREAM, seen(half, reply=reply))[0] is outcome


def test_text_before_an_error_is_not_held_against_a_reply_that_was_not_kept():
    """What a hop said beyond the bound is not known, so nothing shows that it said otherwise."""
    long = record("gemma", AttemptOutcome.SERVED, status=200, reply=None, stream=True)
    half = faulted(stream=True, status=200, reply=cut(""), whole=False)
    reply = got(replace(cut("A long tale"), error=fails().error))
    assert close(MID_STREAM, seen(half, long, reply=reply)).kind is None
