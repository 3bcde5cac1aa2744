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
PASSAGE_CHARS = 200
PASSAGES = 4
"""A long passage that comes so often in a row was not meant."""


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
    return _paragraphs(text)


def _paragraphs(text: str) -> str | None:
    """Find one long passage over and over, by how far its end is from its last repetition."""
    end = text[-PASSAGE_CHARS:]
    before = text.rfind(end, 0, len(text) - 1) if len(end) == PASSAGE_CHARS else -1
    if before < 0:
        return None
    period = len(text) - PASSAGE_CHARS - before
    run = period
    while run < len(text) and text[-run - 1] == text[-run - 1 + period]:
        run += 1
    if run < PASSAGES * period or 2 * run <= len(text):
        return None
    return f"says {text[-run:][:60].strip()!r} and what follows {run // period} times in a row"


def _is_readable(character: str) -> bool:
    return character.isprintable() or character.isspace()
