"""Tests of the check that the tokens were enough."""

from chaos.protocol.conversation import Finish
from chaos.protocol.reading import Usage
from tests.fakes.observations import PASSED, TOOL_TASK, outcome, plan, says, usual

SPENT = says("", reasoning="Hmm, let me think about it.", finish=Finish.LENGTH)


def test_tokens_spent_in_reasoning_are_inconclusive():
    """The reply says itself that it ran out before it began."""
    assert outcome(plan(), usual(SPENT)) == ("inconclusive", "token_budget")
    assert outcome(plan(task=TOOL_TASK), usual(SPENT, task=TOOL_TASK)) == (
        "inconclusive",
        "token_budget",
    )


def test_reasoning_may_be_known_from_the_usage_only():
    """Gateways drop the text of reasoning, but seldom its count."""
    counted = says("", finish=Finish.LENGTH, usage=Usage(12, 512, 512))
    assert outcome(plan(), usual(counted)) == ("inconclusive", "token_budget")


def test_a_reply_that_hides_the_limit_is_empty():
    """Claiming to be done with nothing said is a failure, whatever was thought."""
    assert outcome(plan(), usual(says("", reasoning="Hmm."), own=SPENT)) == (
        "failed",
        "empty_reply",
    )


def test_a_limit_reached_in_the_text_is_no_matter_of_budget():
    """An answer that began is judged as an answer."""
    assert outcome(plan(), usual(says(finish=Finish.LENGTH))) == PASSED
