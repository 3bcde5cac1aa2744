"""Tests of the check that the right hop served."""

from dataclasses import replace

from chaos.faults.fault import Phase
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import (
    PASSED,
    fails,
    faulted,
    got,
    outcome,
    plan,
    record,
    refused,
    says,
    seen,
    served,
    usual,
    verdict,
)


def test_the_expected_hop_may_serve():
    """The usual drill passes."""
    assert outcome(plan(), usual()) == PASSED


def test_a_hop_outside_the_chain_may_not():
    """An answer of a group that the chain does not name is from the wrong hop."""
    stranger = seen(faulted(), record("bystander", AttemptOutcome.STOOD_IN, reply=says()))
    three = plan(chain=("claude",), fault="server_error.once")
    assert outcome(three, stranger) == ("failed", "wrong_hop")


def test_a_spare_hop_may_not_serve_before_the_expected_one_was_tried():
    """The hop after the expected one is contacted only if something went wrong."""
    spare = plan(chain=("claude", "gemma", "spare"))
    jumped = seen(faulted(), record("spare", AttemptOutcome.STOOD_IN, reply=says()))
    found = {finding.kind for finding in verdict(spare, jumped).findings}
    assert {"wrong_hop", "hop_skipped"} <= found


def test_the_wire_tells_who_served_even_if_two_answered():
    """The attempt whose text the client got is the one that served."""
    both = seen(faulted(), served("gemma"), served("bystander", reply=says("Another text.")))
    assert outcome(plan(), both) == PASSED


def test_a_primary_that_fails_once_may_serve_again():
    """A retry that succeeds is as good as a fallback."""
    once = plan(fault="server_error.once")
    assert outcome(once, seen(faulted(), served("claude"))) == PASSED
    assert outcome(once, usual()) == PASSED


def test_an_answer_with_everything_down_came_from_somewhere_else():
    """Where every hop fails, an answer was given by nobody that should have."""
    down = plan(depth=2)
    bypassed = seen(faulted(), faulted("gemma"), reply=got())
    assert outcome(down, bypassed) == ("failed", "wrong_hop")


def test_an_answer_that_no_hop_on_the_wire_gave_is_of_the_wrong_hop():
    """A fallback that does not pass the witness is not the one that was meant."""
    assert outcome(plan(), seen(faulted(), reply=got())) == ("failed", "wrong_hop")


def test_the_whole_answer_of_a_failing_stream_is_an_answer():
    """A stream that lacks only its terminator may be taken, promptly."""
    no_done = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_no_done", stream=True)
    whole = faulted(stream=True, status=200, reply=says(ended=False), whole=False)
    assert outcome(no_done, seen(whole)) == PASSED


def test_an_error_was_served_by_nobody():
    """With everything down, one error in time is right."""
    down = seen(faulted(), faulted("gemma"), reply=refused())
    assert outcome(plan(depth=2), down) == PASSED


def test_in_a_stream_everything_down_may_be_told_inside():
    """An honest error inside the stream is one error in time."""
    down = plan(depth=2, stream=True)
    wire = (faulted(stream=True), faulted("gemma", stream=True))
    assert outcome(down, seen(*wire, reply=got(fails(in_band=True)))) == PASSED


def test_a_fault_that_did_no_harm_proves_nothing():
    """A slow primary that answers in time leaves the fallback unproven."""
    slow = faulted(fault="slow_first_token", status=200, reply=says())
    assert outcome(plan(), seen(slow)) == ("inconclusive", "fault_not_hit")
    assert outcome(plan(), seen(slow, reply=got(total_s=61.0))) == ("failed", "too_late")


def test_a_hop_whose_reply_was_not_kept_proves_nothing():
    """It may have served; nothing is there to compare the client's answer with."""
    unread = seen(faulted(), replace(served(), reply=None))
    assert outcome(plan(), unread) == ("inconclusive", "model_unreliable")
