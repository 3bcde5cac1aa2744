"""Look whether engines are named by model groups that there are: a misspelt one does nothing."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from chaos.errors import UsageError
from chaos.gateway.topology import Topology
from chaos.registry import suggestion


def unknown_engines(names: Iterable[str], topology: Topology) -> Iterator[tuple[str, str]]:
    """Find names that no client could ask for, each with what was probably meant."""
    patterns = (*topology.wildcards, *topology.standing)
    for name in names:
        if topology.find(name) is not None or name in topology.aliases:
            continue
        if not any(fnmatchcase(name, pattern) for pattern in patterns):
            yield name, suggestion(name, topology.groups)


def refuse_unknown_engines(names: Iterable[str], topology: Topology) -> None:
    """Refuse engines of model groups that do not exist.

    Raises:
        UsageError: There is one; the remedy suggests the nearest.
    """
    unknown = list(unknown_engines(names, topology))
    if unknown:
        raise UsageError(
            "no model group of the gateway has the name of the engine "
            + ", ".join(repr(name) for name, _ in unknown),
            remedy="\n".join(
                f"An engine is named by its model group; {meant}" for _, meant in unknown
            ),
        )
