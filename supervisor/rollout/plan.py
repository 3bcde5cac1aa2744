"""All that is known before a swap, in one value: what changes, what cannot work, who serves."""

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.rollout.changes import Change, changes_of, effective_of
from supervisor.rollout.checks import findings_of
from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.meanwhile import GroupCover, needs_acceptance

OWN_S = 15.0
"""What a swap takes beside the engine's own start, at most: a stop, memory, a first answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan.

    Attributes:
        covers: Who serves meanwhile; None where that was not asked, and ``why_not_asked`` says why.
        away_s: How long the engine will not answer, from its last start; None where that is not
            known.
        most_s: How long it may take at most before everything is put back.
    """

    facts: RolloutFacts
    changes: tuple[Change, ...]
    effective: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    covers: tuple[GroupCover, ...] | None
    why_not_asked: str
    away_s: float | None
    most_s: float

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What cannot work."""
        return tuple(one for one in self.findings if one.answer is Answer.REFUSED)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What can work and should be known."""
        return tuple(one for one in self.findings if one.answer is Answer.WARNING)

    @property
    def uncovered(self) -> tuple[GroupCover, ...]:
        """Groups whose users may be without an answer."""
        return needs_acceptance(self.covers or ())

    @property
    def needs_acceptance(self) -> bool:
        """A swap wants ``--accept-downtime``."""
        return self.covers is None or bool(self.uncovered)


def plan_of(
    facts: RolloutFacts, covers: Sequence[GroupCover] | None, why_not_asked: str = ""
) -> Plan:
    """Put a plan together. Pure."""
    limits = facts.file.limits
    most_s = sum(
        limit.total_seconds() for limit in (limits.drain, limits.stop, limits.memory, limits.start)
    )
    return Plan(
        facts=facts,
        changes=changes_of(facts),
        effective=effective_of(facts),
        findings=findings_of(facts),
        covers=tuple(covers) if covers is not None else None,
        why_not_asked=why_not_asked,
        away_s=facts.start_s + OWN_S if facts.start_s is not None else None,
        most_s=most_s,
    )
