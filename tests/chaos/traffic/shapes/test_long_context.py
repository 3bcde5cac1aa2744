"""A needle in a long text."""

import pytest

from chaos.traffic.shapes.long_context import LongContext, chronicle


@pytest.mark.parametrize("tokens", [500, 6_000, 30_000])
def test_it_is_as_long_as_it_says(tokens):
    """Four characters count as a token."""
    text = LongContext(tokens=tokens).task("3fa91c02", max_tokens=5).ask.text
    assert tokens <= len(text) / 4 < tokens * 1.2 + 100


def test_the_needle_is_in_the_middle():
    """Neither the beginning nor the end of the text names it."""
    text = LongContext().task("3fa91c02", max_tokens=5).ask.text
    assert 0.45 < text.index("3fa91c02") / len(text) < 0.55
    assert text.count("3fa91c02") == 1


def test_no_two_days_are_alike():
    """A text that repeats itself is no long context for a model."""
    days = chronicle(24_000)
    assert len({day.split(": ")[1] for day in days}) > 100
    assert len(set(days)) == len(days)
