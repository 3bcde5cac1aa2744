"""Find text that nobody wrote: what broken weights, samplers and tokenizers put out.

By form, not by model: signs without a letter, one thing over and over, halves of characters.
"""

import re

FEWEST_CHARS = 4
MOST_TIMES = 20
"""Whatever comes oftener in a row is no answer, if it is most of the text."""

LOOKED_AT_CHARS = 8_000
_AGAIN = (
    re.compile(rf"(.{{1,24}}?)\1{{{MOST_TIMES - 1},}}", re.DOTALL),
    re.compile(r"(.{25,200}?)\1{5,}", re.DOTALL),  # a sentence is said six times by no answer
)
_MOST_UNREADABLE_RATIO = 0.2


def garbled(text: str) -> str | None:
    """Say how *text* is noise, for a sentence that goes on after a name; None if it is not."""
    text = text.strip()[:LOOKED_AT_CHARS]
    if len(text) < FEWEST_CHARS:
        return None
    unreadable = sum(c == "\N{REPLACEMENT CHARACTER}" or not _is_readable(c) for c in text)
    if unreadable > _MOST_UNREADABLE_RATIO * len(text):
        return f"has {unreadable} unreadable characters among {len(text)}"
    if not any(c.isalnum() for c in text):
        return "has neither a letter nor a digit"
    for run in (run for pattern in _AGAIN for run in pattern.finditer(text)):
        if 2 * len(run[0]) > len(text):
            return f"says {run[1].strip()[:60]!r} {len(run[0]) // len(run[1])} times in a row"
    return None


def _is_readable(character: str) -> bool:
    return character.isprintable() or character.isspace()
