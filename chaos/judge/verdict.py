"""From findings to a verdict, by one rule.

Aborted, else inconclusive if nothing was proven, else failed, else inconclusive, else passed, if
the closing rule agrees.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from chaos.judge.check import NOTHING_PROVEN, Check, Finding, Kind, Result
from chaos.judge.closing import close
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan


class Outcome(StrEnum):
    """What a drill came to."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a drill came to, and why.

    Attributes:
        kind: The first that applies, in the order of ``Kind``; None for passed and aborted.
        findings: One for each check, in the order of checks.
    """

    outcome: Outcome
    kind: Kind | None
    findings: tuple[Finding, ...]

    @property
    def deciding(self) -> Finding | None:
        """The finding that made the verdict; None for a pass."""
        return next((f for f in self.findings if f.kind is self.kind and f.kind is not None), None)


def judge(plan: DrillPlan, seen: Observation, checks: Iterable[Check]) -> Verdict:
    """Run every check and come to a verdict; pure."""
    findings = tuple(check.judge(plan, seen) for check in checks)
    verdict = conclude(findings, aborted=seen.aborted is not None)
    if verdict.outcome is not Outcome.PASSED:
        return verdict
    # No pass rests on the checks alone: see chaos.judge.closing.
    return conclude((*findings, close(plan, seen)))


def conclude(findings: tuple[Finding, ...], *, aborted: bool = False) -> Verdict:
    """Apply the rule to *findings*."""
    if aborted:
        return Verdict(Outcome.ABORTED, None, findings)
    failed = _kinds(findings, Result.FAILED)
    unknown = _kinds(findings, Result.UNKNOWN)
    unproven = [kind for kind in unknown if kind in NOTHING_PROVEN]
    if unproven:
        return Verdict(Outcome.INCONCLUSIVE, unproven[0], findings)
    if failed:
        return Verdict(Outcome.FAILED, failed[0], findings)
    # A check that could not tell a detail (the key's owner under canary) proves nothing wrong.
    telling = [kind for kind in unknown if kind.is_reason]
    if telling:
        return Verdict(Outcome.INCONCLUSIVE, telling[0], findings)
    return Verdict(Outcome.PASSED, None, findings)


def _kinds(findings: tuple[Finding, ...], result: Result) -> list[Kind]:
    kinds = {f.kind for f in findings if f.result is result and f.kind is not None}
    return sorted(kinds, key=lambda kind: kind.precedence)
