"""Texts to embed."""

from chaos.traffic.shapes.embedding import Embedding


def test_two_different_texts_are_asked_for():
    """A vector that is lost or doubled shows in their number."""
    task = Embedding().task("3fa91c02", max_tokens=5)
    assert len(set(task.ask.inputs)) == task.expect.vectors == 2
    assert task.ask.turns == ()
