"""One list per kind of plugin; names, lookups and error texts all follow from it."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from chaos.errors import UsageError


class Named(Protocol):
    """Anything with a name that people type."""

    @property
    def name(self) -> str:
        """The name on the command line, in reports and in metrics."""
        ...


T = TypeVar("T", bound=Named)
V = TypeVar("V")


def index(*entries: T) -> Mapping[str, T]:
    """List *entries* by name, in the order given.

    Raises:
        ValueError: Two entries share a name; a bug in the registry.
    """
    listed: dict[str, T] = {}
    for entry in entries:
        if entry.name in listed:
            raise ValueError(f"{entry.name!r} is registered twice")
        listed[entry.name] = entry
    return MappingProxyType(listed)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say what *name* was probably meant to be, or list what there is."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"one of: {', '.join(names)}" if names else "there is none"


def lookup(kind: str, name: str, entries: Mapping[str, V]) -> V:
    """Find the entry called *name*.

    Raises:
        UsageError: There is none; the remedy suggests the nearest or lists all.
    """
    try:
        return entries[name]
    except KeyError:
        remedy = suggestion(name, entries)
        # Not capitalize(), which would write the names in it in lower case.
        article = "an" if kind.startswith(tuple("aeiou")) else "a"
        raise UsageError(
            f"{name!r} is not {article} {kind}", remedy=remedy[:1].upper() + remedy[1:]
        ) from None
