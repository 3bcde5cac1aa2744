"""Name some of many: a gateway may have hundreds of groups."""

from collections.abc import Iterable

MOST_NAMED = 12
"""Of names that somebody acts on one by one; more are a list for a program."""


def some_of(names: Iterable[str], most: int = 3) -> str:
    """Name the first few, and count the rest; each is named once."""
    named = list(dict.fromkeys(names))
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more


def all_or_count(names: Iterable[str], word: str, most: int = 3) -> str:
    """Name them all where they are few, else count them: ``7 groups``."""
    named = list(dict.fromkeys(names))
    return ", ".join(named) if len(named) <= most else f"{len(named)} {word}"
