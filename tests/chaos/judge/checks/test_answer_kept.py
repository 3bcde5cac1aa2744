"""Tests of the check that the answer holds what the request needs."""

import math
from dataclasses import replace

import pytest

from chaos.judge.checks.answer_kept import judge
from chaos.protocol.conversation import Ask, Finish, ToolCall, Turn
from chaos.protocol.reading import Defect, DefectFound, Usage
from chaos.traffic.shape import Expectation, Task
from tests.fakes.observations import (
    CHAT,
    EMBEDDING_TASK,
    NONCE,
    PASSED,
    PROMPT,
    STRUCTURE_TASK,
    TOOL_TASK,
    calls,
    embedded,
    faulted,
    got,
    outcome,
    plan,
    sampled,
    says,
    seen,
    served,
    usual,
    where,
)

GOOD = f'{{"code": "{NONCE}", "count": 3}}'
NEEDLE_TASK = Task(Ask(turns=(Turn("user", PROMPT),)), Expectation(needle="blue heron"))


def test_a_chat_without_its_nonce_fails_nothing_and_proves_nothing():
    """A model that answers loosely is no broken fallback, nor a proven one."""
    loose = says("Certainly, I can help.")
    assert outcome(plan(), usual(loose)) == ("inconclusive", "model_unreliable")
    often = usual(loose, direct=sampled(loose, loose, loose))
    assert outcome(plan(), often) == ("inconclusive", "model_unreliable")
    assert outcome(plan(), usual(says(f"  {NONCE.upper()} "))) == PASSED


@pytest.mark.parametrize("noise", ["!" * 200, f"{NONCE} " * 200, f"{NONCE}\n" + "!" * 99])
def test_noise_is_no_answer_even_with_the_nonce(noise):
    """Broken weights put out signs without end; three direct samples show whether always."""
    assert outcome(plan(), usual(says(noise))) == ("inconclusive", "model_unreliable")
    often = usual(says(noise), direct=sampled(*[says(noise)] * 3))
    assert (outcome(plan(), often), where(plan(), often)) == (
        ("failed", "answer_degraded"),
        "model",
    )
    garbled = usual(says(noise), own=says())
    assert where(plan(), garbled) == "gateway"


def test_an_echo_of_the_question_is_no_answer():
    """It holds the needle, and nothing of a model's."""
    prompt = (
        "Read this. On the first day there was a sparrow, on the second a blue heron, on the third "
        "nothing at all. Which bird was there on the second day?"
    )
    task = replace(NEEDLE_TASK, ask=Ask(turns=(Turn("user", prompt),)))
    echo = usual(says(prompt), task=task, direct=sampled(*[says(prompt)] * 3, task=task))
    assert outcome(plan(task=task), echo) == ("failed", "answer_degraded")
    quoted = says("On the second a blue heron.")
    assert outcome(plan(task=task), usual(quoted, task=task)) == PASSED


def test_a_code_with_more_in_it_is_another_code():
    """So is a needle that is only a part of a word."""
    task = replace(CHAT, expect=Expectation(needle=NONCE))
    for text in (f"99{NONCE}77", f"x{NONCE}"):
        missed = usual(says(text), task=task, direct=sampled(*[says(text)] * 3, task=task))
        assert outcome(plan(task=task), missed) == ("failed", "answer_degraded")
    for text in (f"_{NONCE}_", f"({NONCE})", f"{NONCE}."):
        assert outcome(plan(task=task), usual(says(text), task=task)) == PASSED


def test_pictures_have_to_be_named_in_order_and_nothing_else():
    """Listing all colours, or guessing one, is what a blind model does."""
    expect = Expectation(words=("red", "blue", "red"), words_among=("red", "blue", "green"))
    task = replace(CHAT, expect=expect)
    for text in ("Red, blue and red.", f"1. red\n2. blue\n3. red\n{NONCE}"):
        assert outcome(plan(task=task), usual(says(text), task=task)) == PASSED
    for text in ("red blue", "red red blue", "red, blue, green or red", "reddish blue red", "?"):
        missed = usual(says(text), task=task, direct=sampled(*[says(text)] * 3, task=task))
        assert outcome(plan(task=task), missed) == ("failed", "answer_degraded"), text


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
        '{"code": "7f3a91c2", "count": 3, "count": 3}',
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
    good = says(GOOD)
    assert outcome(plan(task=task), usual(bad, task=task)) == ("inconclusive", "model_unreliable")
    once = usual(bad, task=task, direct=sampled(bad, good, good, task=task))
    assert outcome(plan(task=task), once) == ("inconclusive", "model_unreliable")
    often = usual(bad, task=task, direct=sampled(bad, bad, good, task=task))
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
    missed = usual(says("A bird."), task=task, direct=sampled(*[says("A bird.")] * 3, task=task))
    assert outcome(plan(task=task), missed) == ("failed", "answer_degraded")
    assert outcome(plan(task=task), usual(says("A bird."), task=task)) == (
        "inconclusive",
        "model_unreliable",
    )


@pytest.mark.parametrize(("counted", "cut"), [(512, True), (1_900, False), (None, False)])
def test_a_needle_that_was_cut_off_is_told_by_what_was_counted(counted, cut):
    """A server that cuts a prompt says so nowhere but in the tokens that it counted."""
    text = f"{PROMPT} {'so on ' * 1_300}"
    task = Task(Ask(turns=(Turn("user", text),)), Expectation(needle="blue heron"))
    reading = says("A bird.", usage=Usage(counted, 3))
    missed = usual(reading, task=task, direct=sampled(*[reading] * 3, task=task))
    finding = judge(plan(task=task), missed)
    assert ("so the prompt was cut" in finding.message) is cut
    assert ("num_ctx" in (finding.remedy or "")) is cut


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
    reading = says("", vectors=embedded(*sizes), finish=None)
    assert outcome(plan(task=EMBEDDING_TASK), usual(reading, task=EMBEDDING_TASK)) == judged


@pytest.mark.parametrize(
    "vectors",
    [
        ((0.0, 0.0), (1.0, 0.5)),
        ((math.nan, 1.0), (1.0, 0.5)),
        ((math.inf, 1.0), (1.0, 0.5)),
        ((1.0, 0.5), (1.0, 0.5)),
    ],
)
def test_embeddings_that_poison_an_index_are_the_hops(vectors):
    """Zeros, what is no number, and one vector for two texts."""
    poison = usual(says("", vectors=vectors, finish=None), task=EMBEDDING_TASK)
    assert outcome(plan(task=EMBEDDING_TASK), poison) == ("failed", "answer_degraded")
    assert where(plan(task=EMBEDDING_TASK), poison) == "hop"


def test_embeddings_come_in_the_order_of_their_texts():
    """A client takes them by their place."""
    gap = (DefectFound(Defect.INDEX_GAP, "embedding 1 at place 0"),)
    mixed = usual(says("", vectors=embedded(4, 4), finish=None, defects=gap), task=EMBEDDING_TASK)
    assert outcome(plan(task=EMBEDDING_TASK), mixed) == ("failed", "answer_degraded")


def test_embeddings_have_the_size_of_the_groups_own():
    """A fallback of another size fits no index that the primary has filled."""
    expect = replace(EMBEDDING_TASK.expect, vector_size=1536)
    task = replace(EMBEDDING_TASK, expect=expect)
    reading = says("", vectors=embedded(8, 8), finish=None)
    judged = usual(reading, task=task)
    assert outcome(plan(task=task), judged) == ("failed", "answer_degraded")
    assert where(plan(task=task), judged) == "hop"


def test_embeddings_have_to_be_as_long_as_asked():
    """A hop that ignores the dimensions gives vectors that fit nothing."""
    task = replace(EMBEDDING_TASK, ask=replace(EMBEDDING_TASK.ask, dimensions=4))
    reading = says("", vectors=embedded(8, 8), finish=None)
    assert outcome(plan(task=task), usual(reading, task=task)) == ("failed", "answer_degraded")


def test_a_reply_that_breaks_its_own_format_is_degraded():
    """An event that a client's library cannot read stops it."""
    broken = says(defects=(DefectFound(Defect.EVENT_NOT_JSON, "data: {"),))
    wire = (faulted(), served())
    assert outcome(plan(), seen(*wire, reply=got(broken))) == ("failed", "answer_degraded")


@pytest.mark.parametrize(
    "defect",
    [Defect.WRONG_SHAPE, Defect.NO_START, Defect.INDEX_GAP, Defect.ORPHAN_FRAGMENT],
)
def test_a_form_that_client_libraries_trip_over_fails_with_the_right_text_too(defect):
    """The words are there; openai-python raises before anybody sees them."""
    broken = replace(says(), defects=(DefectFound(defect, "a fragment without an index"),))
    assert outcome(plan(), usual(broken, own=says())) == ("failed", "answer_degraded")
    assert where(plan(), usual(broken, own=says())) == "gateway"


def test_a_broken_form_that_the_hop_itself_sent_is_the_hop_s():
    """Some gateways hand a stream on byte for byte."""
    broken = replace(says(), defects=(DefectFound(Defect.ORPHAN_FRAGMENT, "part 0"),))
    assert outcome(plan(), usual(broken)) == ("failed", "answer_degraded")
    assert where(plan(), usual(broken)) == "hop"


def test_a_broken_form_of_calls_is_a_call_that_cannot_be_read():
    """An agent never gets to see it."""
    of = plan(task=TOOL_TASK)
    broken = replace(calls(), defects=(DefectFound(Defect.WRONG_SHAPE, "no index"),))
    failing, good = faulted(task=TOOL_TASK), served(task=TOOL_TASK, reply=calls())
    assert outcome(of, seen(failing, good, reply=got(broken))) == ("failed", "tool_call_invalid")


@pytest.mark.parametrize("defect", [Defect.NO_ID, Defect.NO_TERMINATOR, Defect.UNKNOWN_EVENT])
def test_a_form_that_no_client_minds_is_left_alone(defect):
    """It is noted, and harms nobody."""
    odd = replace(says(), defects=(DefectFound(defect, "no id"),))
    assert outcome(plan(), usual(odd, own=says())) == PASSED


def test_an_answer_that_a_filter_ended_is_none():
    """It may look whole, and is not what the model would have said."""
    filtered = says(finish=Finish.CONTENT_FILTER)
    assert outcome(plan(), usual(filtered)) == ("failed", "answer_degraded")
    assert where(plan(), usual(filtered)) == "hop"
