"""What an engine is asked to write."""

from supervisor.baseline.text import TEXTS


def test_the_first_text_is_the_one_that_has_room_where_there_is_room_for_one():
    """Prose on the history of Paris; then what speculation guesses better."""
    assert list(TEXTS) == ["prose", "code", "json"]
    assert "200 words on the history of Paris" in TEXTS["prose"].prompt


def test_no_text_depends_on_the_day_or_on_chance():
    """They are constants: a benchmark of last year asked the same."""
    assert all(text.prompt == text.prompt and name == text.name for name, text in TEXTS.items())
    assert len({text.prompt for text in TEXTS.values()}) == 3
