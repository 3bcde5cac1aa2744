"""Tests of the check that reasoning stays out of the visible text."""

from dataclasses import replace

import pytest

from chaos.judge.check import Result
from chaos.judge.checks import CHECKS
from chaos.judge.verdict import judge
from chaos.protocol.conversation import Turn
from tests.fakes.observations import (
    CHAT,
    NONCE,
    PASSED,
    PROMPT,
    TEXT,
    TOOL_TASK,
    outcome,
    plan,
    says,
    usual,
    where,
)

THOUGHT = "The user wants the word, so I will say the word."


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\n{THOUGHT}\n</think>\n{TEXT}",
        f"{THOUGHT}</think>{TEXT}",
        f"<|channel>thought\n{THOUGHT}{TEXT}",
        f"<seed:think>{THOUGHT}</seed:think>{TEXT}",
        f"{TEXT}<|im_end|>",
        f"{TEXT}<pad><pad>",
    ],
)
def test_markup_in_the_text_is_a_leak(text):
    """Tags of reasoning and control tokens are for the engine's parser."""
    assert outcome(plan(), usual(says(text))) == ("failed", "answer_degraded")
    assert where(plan(), usual(says(text))) == "hop"


def test_reasoning_that_the_gateway_mixes_in_is_the_gateways():
    """The hop kept it apart, the client finds it in the text."""
    mixed = usual(says(THOUGHT + TEXT), own=says(reasoning=THOUGHT))
    assert outcome(plan(), mixed) == ("failed", "answer_degraded")
    assert where(plan(), mixed) == "gateway"


def test_reasoning_apart_from_the_text_is_right():
    """A reasoning model may reason."""
    assert outcome(plan(), usual(says(reasoning=THOUGHT))) == PASSED


@pytest.mark.parametrize("text", ["if a < b and b > c", "See <https://x.org>.", "<b>bold</b>"])
def test_ordinary_angle_brackets_are_no_markup(text):
    """Code, links and HTML are text."""
    assert outcome(plan(), usual(says(f"{text} {NONCE}"))) == PASSED


def test_markup_that_the_prompt_has_may_come_back():
    """A question about a tag is answered with that tag."""
    ask = replace(CHAT.ask, turns=(Turn("user", f"What is <think>? {PROMPT}"),))
    task = replace(CHAT, ask=ask)
    assert (
        outcome(plan(task=task), usual(says(f"<think> begins it, {NONCE}."), task=task)) == PASSED
    )


def test_a_leaked_tool_call_is_not_blamed_on_the_reasoning_parser():
    """The remedy for a call in the text is the tool parser's, and only that is told."""
    call = f'<|tool_call>call:look_up{{code:<|"|>{NONCE}<|"|>,count:3}}<tool_call|>'
    verdict = judge(plan(task=TOOL_TASK), usual(says(call)), CHECKS)
    failed = {f.check for f in verdict.findings if f.result is Result.FAILED}
    assert "tool_calls" in failed
    assert "reasoning_apart" not in failed
