"""Tests of the check that the answer holds what the request needs."""

from dataclasses import replace

import pytest

from chaos.protocol.conversation import Ask, ToolCall, Turn
from chaos.protocol.reading import Defect, DefectFound
from chaos.traffic.shape import Expectation, Task
from tests.fakes.observations import (
    EMBEDDING_TASK,
    NONCE,
    PASSED,
    PROMPT,
    STRUCTURE_TASK,
    calls,
    faulted,
    got,
    outcome,
    plan,
    says,
    seen,
    served,
    usual,
    where,
)

GOOD = f'{{"code": "{NONCE}", "count": 3}}'
NEEDLE_TASK = Task(Ask(turns=(Turn("user", PROMPT),)), Expectation(needle="blue heron"))


def test_a_chat_without_its_nonce_passes():
    """A model that answers loosely is no broken fallback."""
    assert outcome(plan(), usual(says("Certainly, I can help."))) == PASSED


def test_a_nonce_that_the_hop_gave_has_to_arrive():
    """Text that the gateway changes on its way is the gateway's."""
    changed = usual(says("The word is [masked]."), own=says())
    assert outcome(plan(), changed) == ("failed", "answer_degraded")
    assert where(plan(), changed) == "gateway"


def test_structured_output_passes():
    """JSON that fits its schema and brings the values back is right."""
    assert outcome(plan(task=STRUCTURE_TASK), usual(says(GOOD), task=STRUCTURE_TASK)) == PASSED


@pytest.mark.parametrize(
    "text",
    [
        "thought: " + GOOD,
        '{"code": "7f3a91c2"}',
        '{"code": "7f3a91c2", "count": "3"}',
        '{"code": "00000000", "count": 3}',
        '{"code": "7f3a91c2", "count": NaN}',
    ],
)
def test_structured_output_that_breaks_on_its_way_is_the_gateways(text):
    """Form, schema and values are compared with what the hop sent."""
    broken = usual(says(text), own=says(GOOD), task=STRUCTURE_TASK)
    assert outcome(plan(task=STRUCTURE_TASK), broken) == ("failed", "answer_degraded")
    assert where(plan(task=STRUCTURE_TASK), broken) == "gateway"


def test_structured_output_that_the_hop_itself_breaks_needs_samples():
    """Two direct misses in three make it the model's."""
    task, bad = STRUCTURE_TASK, says("No JSON today.")
    good = says(GOOD.replace(NONCE, "00c0ffee"))
    assert outcome(plan(task=task), usual(bad, task=task)) == ("inconclusive", "model_unreliable")
    once = usual(bad, task=task, direct=(bad, good, good))
    assert outcome(plan(task=task), once) == ("inconclusive", "model_unreliable")
    often = usual(bad, task=task, direct=(bad, bad, good))
    assert outcome(plan(task=task), often) == ("failed", "answer_degraded")
    assert where(plan(task=task), often) == "model"


def test_structure_as_a_forced_call_upstream_counts_as_right():
    """What the gateway unwraps was right on the hop's side too."""
    own = calls(ToolCall("c1", "json_tool_call", GOOD))
    assert outcome(plan(task=STRUCTURE_TASK), usual(says(GOOD), own=own, task=STRUCTURE_TASK)) == (
        PASSED
    )
    garbled = usual(says("{}"), own=own, task=STRUCTURE_TASK)
    assert where(plan(task=STRUCTURE_TASK), garbled) == "gateway"


def test_a_needle_has_to_be_named():
    """In whatever case; a miss is the model's if it misses directly as well."""
    task = NEEDLE_TASK
    assert outcome(plan(task=task), usual(says("A Blue Heron."), task=task)) == PASSED
    missed = usual(says("A bird."), task=task, direct=(says("A bird."),) * 3)
    assert outcome(plan(task=task), missed) == ("failed", "answer_degraded")
    assert outcome(plan(task=task), usual(says("A bird."), task=task)) == (
        "inconclusive",
        "model_unreliable",
    )


@pytest.mark.parametrize(
    ("sizes", "judged"),
    [
        ((8, 8), PASSED),
        ((8,), ("failed", "answer_degraded")),
        ((8, 4), ("failed", "answer_degraded")),
        ((0, 0), ("failed", "answer_degraded")),
    ],
)
def test_embeddings_have_to_be_as_many_as_asked_and_of_one_size(sizes, judged):
    """Anything else breaks the index that they are for."""
    reading = says("", vector_sizes=sizes, finish=None)
    assert outcome(plan(task=EMBEDDING_TASK), usual(reading, task=EMBEDDING_TASK)) == judged


def test_embeddings_have_to_be_as_long_as_asked():
    """A hop that ignores the dimensions gives vectors that fit nothing."""
    task = replace(EMBEDDING_TASK, ask=replace(EMBEDDING_TASK.ask, dimensions=4))
    reading = says("", vector_sizes=(8, 8), finish=None)
    assert outcome(plan(task=task), usual(reading, task=task)) == ("failed", "answer_degraded")


def test_a_reply_that_breaks_its_own_format_is_degraded():
    """An event that a client's library cannot read stops it."""
    broken = says(defects=(DefectFound(Defect.EVENT_NOT_JSON, "data: {"),))
    wire = (faulted(), served())
    assert outcome(plan(), seen(*wire, reply=got(broken))) == ("failed", "answer_degraded")
