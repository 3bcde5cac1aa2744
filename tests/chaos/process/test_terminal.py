"""What a terminal would obey does not get to it."""

import pytest

from chaos.process.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "\N{REPLACEMENT CHARACTER}[2Jgone"),
        ("a\x9b31mb", "a\N{REPLACEMENT CHARACTER}31mb"),
        ("over\rwritten\x08\x7f", "over�written��"),
        ("two\nlines\tand ✗ → ü", "two\nlines\tand ✗ → ü"),
    ],
)
def test_only_what_commands_is_taken_out(text, shown):
    """Escape, its eight-bit form, and what writes over what was there; never ordinary text."""
    assert printable(text) == shown
