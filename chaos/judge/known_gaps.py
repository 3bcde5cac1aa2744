"""Failures that an untouched LiteLLM of a version range shows too: counted, paging nobody.

The table is data, ``known_gaps.yaml``; every row has a corpus case. Neither checks nor faults
know of it: a drill is judged first, and only then looked up here. A gap explains a drill only if
it explains everything that failed in it, where it failed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from typing import Protocol

import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from chaos.judge.check import Finding, Kind, Where
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan, HopRole

NEVER_EXPLAINED = frozenset({Kind.COLLATERAL, Kind.REQUEST_CHANGED})
"""What is done to others, or to a request, no gap and no user can take back."""

_NEVER_EXPLAINED_CHECKS = frozenset({"keys_kept"})
"""Nor a key that was shown, whose kind it shares with smaller things."""

_AT_A_FALLBACK = frozenset({Kind.NEVER_TRIED, Kind.MISREPORTED, Kind.SPLICED_REPLY})
"""Kinds whose finding names the hop that should have served, or did; others name one that fails."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A drill that failed, as far as it matters to an explanation.

    Attributes:
        kind: The verdict's.
        findings: Those that failed; never empty.
        attempts: By model group.
    """

    version: str
    plan: DrillPlan
    kind: Kind
    findings: tuple[Finding, ...]
    attempts: Mapping[str, int]

    @property
    def primary(self) -> str | None:
        """The dialect of the first failing hop."""
        deployments = self.plan.hops[0].deployments if self.plan.hops else ()
        return deployments[0].dialect if deployments else None

    @property
    def serving(self) -> str | None:
        """The dialect of the hop that has to serve."""
        hop = self.plan.hop(self.plan.scenario.expected_hop or "")
        return hop.deployments[0].dialect if hop is not None and hop.deployments else None


class Gap(Protocol):
    """A failure that is known: from our table, or accepted by the user."""

    @property
    def source(self) -> str:
        """Where it is documented, or who accepts it."""
        ...

    def explains(self, failure: Failure) -> bool:
        """Tell whether it is why the drill failed, in every finding."""
        ...


@dataclass(frozen=True, slots=True)
class KnownGap:
    """A row of the table.

    Attributes:
        versions: LiteLLM's versions that show it, as a PEP 440 specifier.
        scenario: Pattern for ``Scenario.pattern``, with ``*`` and ``[ab]``.
        kinds: The verdict kinds it explains ...
        besides: ... and those that may come with them.
        primary: Dialects of the first failing hop that show it; empty for any.
        serving: Dialects of the hop that has to serve, where the gap is in how its answer is read.
        most_attempts: At one hop, where ``retry_storm`` is explained.
        source: Where it is documented.
    """

    versions: SpecifierSet
    scenario: str
    kinds: frozenset[Kind]
    primary: frozenset[str]
    source: str
    besides: frozenset[Kind] = frozenset()
    serving: frozenset[str] = frozenset()
    most_attempts: int = 0

    def explains(self, failure: Failure) -> bool:
        """Tell whether this gap is why the drill failed, in every finding."""
        try:
            in_range = Version(failure.version) in self.versions
        except InvalidVersion:
            return False
        return (
            in_range
            and failure.kind in self.kinds
            and (not self.primary or failure.primary in self.primary)
            and (not self.serving or failure.serving in self.serving)
            and fnmatchcase(failure.plan.scenario.pattern, self.scenario)
            and all(self._covers(finding, failure) for finding in failure.findings)
        )

    def _covers(self, finding: Finding, failure: Failure) -> bool:
        if finding.kind not in self.kinds | self.besides or finding.where is not Where.GATEWAY:
            return False
        if finding.kind is Kind.WRONG_HOP and failure.plan.expect is not Expected.SERVED:
            return False  # That LiteLLM serves where it should refuse excuses nobody.
        if finding.kind is Kind.RETRY_STORM:
            attempts = failure.attempts.get(finding.hop or "", 0)
            return _in_place(finding, failure.plan) and attempts <= self.most_attempts
        if self.serving:
            expected = failure.plan.scenario.expected_hop
            return finding.hop is None or finding.hop == expected
        return _in_place(finding, failure.plan)


def _in_place(finding: Finding, plan: DrillPlan) -> bool:
    """Tell whether a finding is about a hop at which an untouched LiteLLM goes wrong."""
    hop = plan.hop(finding.hop) if finding.hop is not None else None
    if hop is None:
        return finding.hop is None
    if finding.kind in _AT_A_FALLBACK:
        return hop is not plan.hops[0]
    return hop.role is HopRole.FAIL


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
            besides=frozenset(Kind(kind) for kind in row.get("besides", ())),
            primary=frozenset(row.get("primary", ())),
            serving=frozenset(row.get("serving", ())),
            most_attempts=row.get("most_attempts", 0),
            source=row["source"],
        )
        for row in rows["gaps"]
        for pattern in row["scenarios"]
    )


def explanation(gaps: Iterable[Gap], failure: Failure) -> str | None:
    """Name the source of the gap that explains the whole failure; None if none does."""
    if any(
        f.kind in NEVER_EXPLAINED or f.check in _NEVER_EXPLAINED_CHECKS for f in failure.findings
    ):
        return None
    return next((gap.source for gap in gaps if gap.explains(failure)), None)
