"""Tests of the check that one reply holds one upstream's output."""

from dataclasses import replace

from chaos.faults.fault import Phase
from chaos.protocol.conversation import ToolCall
from chaos.protocol.reading import Defect, DefectFound
from tests.fakes.observations import (
    CALL,
    PASSED,
    TEXT,
    TOOL_TASK,
    calls,
    cut,
    faulted,
    got,
    outcome,
    plan,
    says,
    seen,
    served,
    usual,
    verdict,
)

MID_STREAM = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True)
MID_CALL = plan(phase=Phase.AFTER_FIRST_BYTE, fault="stream_cut", stream=True, task=TOOL_TASK)


def _half(text="[claude] The w", **changes):
    return faulted(stream=True, status=200, reply=cut(text, **changes), whole=False)


def test_two_texts_in_one_reply_are_spliced():
    """The beginning of one hop's answer and all of the next one's is no answer."""
    both = got(says("[claude] The w" + TEXT))
    assert outcome(MID_STREAM, seen(_half(), served(stream=True), reply=both)) == (
        "failed",
        "spliced_reply",
    )


def test_a_discarded_beginning_is_not_spliced():
    """A gateway that starts afresh with the fallback has done well."""
    assert outcome(MID_STREAM, seen(_half(), served(stream=True))) == PASSED


def test_an_answer_that_begins_like_the_cut_one_is_not_spliced():
    """Two models may begin with the same words."""
    assert outcome(MID_STREAM, seen(_half(TEXT[:9]), served(stream=True))) == PASSED


def test_calls_of_two_hops_are_spliced():
    """The half call of one hop beside the whole call of another is no answer."""
    half = ToolCall("call_0", "look_up", '{"code": "7f')
    broken = faulted(
        stream=True, status=200, task=TOOL_TASK, reply=cut("", tool_calls=(half,)), whole=False
    )
    good = served(stream=True, task=TOOL_TASK, reply=calls())
    both = seen(broken, good, reply=got(calls(half, CALL)))
    assert outcome(MID_CALL, both) == ("failed", "spliced_reply")
    glued = ToolCall("call_0", "look_up", half.arguments + CALL.arguments)
    assert outcome(MID_CALL, seen(broken, good, reply=got(calls(glued)))) == (
        "failed",
        "spliced_reply",
    )


def test_the_text_of_one_hop_beside_the_call_of_another_is_spliced():
    """Text that was sent before the break stays, and the next hop's call is added."""
    broken = faulted(stream=True, status=200, task=TOOL_TASK, reply=cut("Let me see"), whole=False)
    good = served(stream=True, task=TOOL_TASK, reply=calls())
    both = seen(broken, good, reply=got(calls(text="Let me see")))
    assert outcome(MID_CALL, both) == ("failed", "spliced_reply")


def test_two_beginnings_with_output_of_neither_alone_are_spliced():
    """Two response ids, and a text that no single upstream sent."""
    mixed = got(says("The or the other", ids=("a1", "b2"), starts=2))
    wire = (_half("The word"), served(stream=True, reply=says("another")))
    assert outcome(MID_STREAM, seen(*wire, reply=mixed)) == ("failed", "spliced_reply")


def test_a_beginning_without_output_is_not_spliced():
    """A role-only first event of the failing hop is followed by one hop's whole answer."""
    restarted = got(says(ids=("a1", "b2"), starts=2))
    assert outcome(MID_STREAM, seen(_half(""), served(stream=True), reply=restarted)) == PASSED


def test_an_answer_that_quotes_the_cut_one_further_in_is_not_spliced():
    """What was sent first would have to come first."""
    own = says("Well then: " + TEXT)
    wire = (_half("The word"), served(stream=True, reply=own))
    assert outcome(MID_STREAM, seen(*wire, reply=got(own))) == PASSED


def test_two_calls_of_one_hop_are_not_spliced():
    """A half call that was thrown away leaves no trace in two whole ones."""
    half = ToolCall("call_0", "look_up", '{"code": "7f')
    broken = faulted(
        stream=True, status=200, task=TOOL_TASK, reply=cut("", tool_calls=(half,)), whole=False
    )
    two = calls(CALL, ToolCall("call_2", "look_up", CALL.arguments))
    wire = (broken, served(stream=True, task=TOOL_TASK, reply=two))
    kinds = {f.kind for f in verdict(MID_CALL, seen(*wire, reply=got(two))).findings}
    assert "spliced_reply" not in kinds


def test_text_and_call_of_one_hop_are_not_spliced():
    """A model may say something and then call, whatever the cut one had said."""
    broken = faulted(stream=True, status=200, task=TOOL_TASK, reply=cut("Let me see"), whole=False)
    good = calls(text="Let me see it.")
    wire = (broken, served(stream=True, task=TOOL_TASK, reply=good))
    assert outcome(MID_CALL, seen(*wire, reply=got(good))) == PASSED


def test_two_beginnings_of_one_upstream_are_the_gateways():
    """A client library starts afresh at the second, and its reader has the words twice."""
    twice = replace(
        says(), starts=2, defects=(DefectFound(Defect.SECOND_START, "a second response.created"),)
    )
    one = replace(says(), starts=1)
    assert outcome(plan(), usual(twice, own=one)) == ("failed", "spliced_reply")
    assert outcome(plan(), usual(twice, own=twice)) == PASSED
