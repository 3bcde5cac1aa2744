"""Tests of cutting answers into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Answer
from chaos.protocol.pieces import event_bytes, mark, slices


@given(st.text(max_size=200), st.integers(1, 9))
def test_slices_put_together_are_the_text(text, at_least):
    """Nothing is lost or doubled, and long enough text comes in enough pieces."""
    cut = slices(text, at_least)
    assert "".join(cut) == text
    assert all(cut)
    assert len(cut) >= min(at_least, len(text))


def test_an_event_is_named_after_its_type():
    """An event has a name, one line of data and a blank line after it."""
    assert event_bytes("ping", {"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("answer", "model"), [(Answer(text="no"), "m"), (Answer(text="yes"), "other")]
)
def test_two_answers_have_two_marks(answer, model):
    """Other words and another model give another mark; the same give the same."""
    assert mark(Answer(text="yes"), "m") != mark(answer, model)
    assert mark(answer, model) == mark(answer, model)
