"""By which way groups are drilled where it is not the first one, in few lines."""

from collections.abc import Iterator

from chaos.naming import some_of

MOST_LINES = 3
"""Groups of one reason that have a line each; more are counted in one."""


class Ways:
    """Gathers ways and their reasons, group by group."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], dict[str, str]] = {}

    def add(self, group: str, way: str, reasons: str) -> None:
        """Note why *group* goes the way it goes; the first reason of a kind is kept."""
        kind = reasons.replace(f"group {group!r}", "the group").replace(repr(group), "the group")
        self._groups.setdefault((way, kind), {}).setdefault(group, reasons)

    def lines(self) -> Iterator[str]:
        """Say each reason once; of many groups that differ in nothing but their name, some."""
        for (way, kind), groups in self._groups.items():
            if len(groups) > MOST_LINES:
                yield f"{len(groups)} groups: {way}, {kind} ({some_of(groups)})"
                continue
            told: set[str] = set()
            for group, reasons in groups.items():
                if reasons not in told:
                    told.add(reasons)
                    yield f"{group}: {way}, {reasons}"
