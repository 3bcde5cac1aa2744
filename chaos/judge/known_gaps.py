"""Failures that an untouched LiteLLM of a version range shows too: counted, paging nobody.

The table is data, ``known_gaps.yaml``; every row has a corpus case. Neither checks nor faults
know of it: a drill is judged first, and only then looked up here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from typing import Protocol

import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from chaos.judge.check import Kind
from chaos.scenario.scenario import Scenario


class Gap(Protocol):
    """A failure that is known: from our table, or accepted by the user."""

    @property
    def source(self) -> str:
        """Where it is documented, or who accepts it."""
        ...

    def explains(self, version: str, scenario: Scenario, kind: Kind, primary: str | None) -> bool:
        """Tell whether it is why *scenario* failed with *kind*."""
        ...


@dataclass(frozen=True, slots=True)
class KnownGap:
    """A row of the table.

    Attributes:
        versions: LiteLLM's versions that show it, as a PEP 440 specifier.
        scenario: Pattern for the scenario key without its group and depth:
            ``trigger/fault/shape/surface/streaming``, with ``*`` and ``[ab]``.
        kinds: The verdict kinds it explains.
        primary: Dialects of the first failing hop that show it; empty for any.
        source: Where it is documented.
    """

    versions: SpecifierSet
    scenario: str
    kinds: frozenset[Kind]
    primary: frozenset[str]
    source: str

    def explains(self, version: str, scenario: Scenario, kind: Kind, primary: str | None) -> bool:
        """Tell whether this gap is why *scenario* failed with *kind*."""
        try:
            in_range = Version(version) in self.versions
        except InvalidVersion:
            return False
        return (
            in_range
            and kind in self.kinds
            and (not self.primary or primary in self.primary)
            and fnmatchcase(scenario.pattern, self.scenario)
        )


def load() -> tuple[KnownGap, ...]:
    """Read the table that comes with the package; a row may list several patterns."""
    rows = yaml.safe_load(
        resources.files("chaos.judge").joinpath("known_gaps.yaml").read_text("utf-8")
    )
    return tuple(
        KnownGap(
            versions=SpecifierSet(row["versions"]),
            scenario=pattern,
            kinds=frozenset(Kind(kind) for kind in row["kinds"]),
            primary=frozenset(row.get("primary", ())),
            source=row["source"],
        )
        for row in rows["gaps"]
        for pattern in row["scenarios"]
    )


def source_of(
    gaps: Iterable[Gap], version: str, scenario: Scenario, kind: Kind, primary: str | None
) -> str | None:
    """Name the source of the gap that explains a failure; None if none does."""
    return next(
        (gap.source for gap in gaps if gap.explains(version, scenario, kind, primary)), None
    )
