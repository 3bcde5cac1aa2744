"""Tests of embeddings: whether they fit an index, and whether two sets are the same."""

import math
from dataclasses import replace

import pytest

from chaos.judge.vectors import same_vectors, unfit
from chaos.protocol.reading import Defect, DefectFound, Reading
from tests.fakes.observations import EMBEDDING_TASK, embedded

GOOD = Reading(vectors=embedded(4, 4))
SIZED = replace(EMBEDDING_TASK, expect=replace(EMBEDDING_TASK.expect, vector_size=4))


def test_good_embeddings_fit():
    """As many as texts, of one size, all numbers, none alike."""
    assert unfit(EMBEDDING_TASK, GOOD) is None
    assert unfit(SIZED, GOOD) is None


@pytest.mark.parametrize(
    ("vectors", "what"),
    [
        (embedded(4), "1 embeddings for 2 texts"),
        (embedded(4, 2), "of the sizes 4, 2"),
        (embedded(8, 8), "where the group's own have 4"),
        (((math.nan,) * 4, (1.0,) * 4), "a value that is no number"),
        (((math.inf,) * 4, (1.0,) * 4), "a value that is no number"),
        (((0.0,) * 4, (1.0,) * 4), "nothing but zeros"),
        (((1.0,) * 4, (1.0,) * 4), "the same embedding for different texts"),
    ],
)
def test_what_poisons_an_index_is_named(vectors, what):
    """Each way has its words."""
    assert what in (unfit(SIZED, Reading(vectors=vectors)) or "")


def test_the_same_text_twice_may_have_the_same_embedding():
    """It should, even."""
    task = replace(EMBEDDING_TASK, ask=replace(EMBEDDING_TASK.ask, inputs=("one", "one")))
    assert unfit(task, Reading(vectors=((1.0, 0.5),) * 2)) is None


def test_another_order_is_named():
    """The reader has seen an index out of its place."""
    mixed = replace(GOOD, defects=(DefectFound(Defect.INDEX_GAP, "embedding 1 at place 0"),))
    assert "another order" in (unfit(EMBEDDING_TASK, mixed) or "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (((0.1, 0.2),), ((0.1, 0.2),), True),
        (((0.1, 0.2),), ((0.10000000149, 0.20000000298),), True),
        (((0.1, 0.2),), ((0.2, 0.1),), False),
        (((0.1, 0.2), (0.3, 0.4)), ((0.3, 0.4), (0.1, 0.2)), False),
        (((0.1, 0.2),), ((0.1, 0.2, 0.3),), False),
        (((0.1, math.nan),), ((0.1, math.nan),), True),
        (((0.1, math.nan),), ((0.1, 0.2),), False),
        ((), (), True),
    ],
)
def test_vectors_are_the_same_but_for_rounding(one, other, same):
    """Gateways write numbers anew, in four bytes or eight."""
    assert same_vectors(Reading(vectors=one), Reading(vectors=other)) is same


def test_vectors_are_compared_by_their_own_size():
    """Tiny numbers are as different as great ones, and rounding is as small as they are."""
    tiny = Reading(vectors=((1e-6, 2e-6), (2e-6, 1e-6)))
    assert not same_vectors(tiny, Reading(vectors=tiny.vectors[::-1]))
    assert same_vectors(tiny, Reading(vectors=((1.000001e-6, 2e-6), (2e-6, 1e-6))))


def test_texts_that_differ_by_a_rounding_error_are_not_told_apart():
    """A model that sees nothing in its text gives noise around one point."""
    alike = Reading(vectors=((0.5, 0.25), (0.5 + 1e-9, 0.25)))
    assert "same embedding" in (unfit(EMBEDDING_TASK, alike) or "")
