"""Tests of the check that no cut answer is presented as complete."""

from chaos.faults.fault import Phase
from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Defect
from tests.fakes.observations import (
    PASSED,
    TOOL_TASK,
    calls,
    cut,
    fails,
    faulted,
    got,
    outcome,
    plan,
    says,
    seen,
    usual,
)

MID_STREAM = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_truncated", stream=True)


def _broken(reply):
    return faulted(stream=True, status=200, reply=reply, whole=False)


def test_an_invented_finish_reason_is_a_failure():
    """The upstream never said why it ended, and the client is told that it was done."""
    invented = seen(_broken(cut("The w")), reply=got(says("The w")))
    assert outcome(MID_STREAM, invented) == ("failed", "truncated_reply")


def test_a_stream_that_just_ends_is_a_failure():
    """Silence about the cut is no better than an invented reason."""
    silent = seen(_broken(cut("The w")), reply=got(cut("The w")))
    assert outcome(MID_STREAM, silent) == ("failed", "truncated_reply")


def test_an_honest_error_after_the_cut_passes():
    """A cut that the client is told of is no false answer."""
    told = got(cut("The w", error=fails(in_band=True).error))
    assert outcome(MID_STREAM, seen(_broken(cut("The w")), reply=told)) == PASSED


def test_an_unreadable_event_that_is_dropped_is_a_failure():
    """What the event held is lost, and nobody says so."""
    garbled = _broken(says("The is it.", defects=cut("", Defect.EVENT_NOT_JSON).defects))
    assert outcome(MID_STREAM, seen(garbled, reply=got(says("The is it.")))) == (
        "failed",
        "truncated_reply",
    )


def test_a_half_tool_call_with_a_finish_reason_is_a_failure():
    """Arguments that stop in the middle were cut, whatever the finish reason says."""
    half = ToolCall("c1", "look_up", '{"code": "7f')
    mid_call = plan(
        phase=Phase.AFTER_FIRST_BYTE, fault="tool_call_cut", stream=True, task=TOOL_TASK
    )
    broken = faulted(stream=True, status=200, task=TOOL_TASK, reply=calls(half), whole=False)
    assert outcome(mid_call, seen(broken, reply=got(calls(half)))) == ("failed", "truncated_reply")


def test_a_tail_that_the_gateway_loses_is_a_failure():
    """A shorter text than the hop's own, presented as complete, was cut on its way."""
    assert outcome(plan(), usual(says("The word"), own=says("The word is 7f3a91c2."))) == (
        "failed",
        "truncated_reply",
    )


def test_an_answer_that_reached_its_limit_is_not_cut():
    """A length that the hop itself tells is told to the client as well."""
    assert outcome(plan(), usual(says(finish=Finish.LENGTH))) == PASSED
