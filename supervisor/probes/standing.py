"""How a part stands, from one reading after the other. Pure.

A part is called bad only after several bad looks in a row, and well again after several good ones.
A look that could not tell says nothing about the part: what was known of it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from supervisor.probes.probe import Cadence, Part, ProbeReading, State, Step

BAD = frozenset({State.DOWN, State.HUNG, State.DRIFTED})
GOOD = frozenset({State.UP, State.BUSY, State.SLOW})
DEAD = frozenset({State.DOWN, State.HUNG})
"""Nothing is served."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one part stands.

    Attributes:
        state: What holds: confirmed by as many looks as its cadence asks for; unknown as long as
            no look could tell anything.
        since: When the first of the looks that confirmed it was taken.
        reason: Of the newest look that found this state.
        at: When it was looked at last; None if not since the daemon was started.
        took_s: How long that look took.
        seen: What that look found, which need not be confirmed.
        seen_reason: Why.
        evidence: Of that look.
        facts: Of the newest look that had any.
        doubt: The state that looks in a row have found and that is not confirmed yet, ...
        doubted: ... how many looks those were, ...
        doubted_since: ... and when the first of them was taken.
    """

    part: Part
    state: State
    since: datetime
    reason: str = ""
    at: datetime | None = None
    took_s: float = 0.0
    seen: State = State.UNKNOWN
    seen_reason: str = ""
    evidence: tuple[Step, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    doubt: State | None = None
    doubted: int = 0
    doubted_since: datetime | None = None

    @property
    def up(self) -> bool:
        """It serves, as far as anybody knows."""
        return self.state in GOOD or self.state is State.DRIFTED


@dataclass(frozen=True, slots=True)
class Change:
    """A part's state has changed.

    Attributes:
        at: When it was first seen to be so.
        noticed_at: When it was confirmed.
    """

    part: Part
    was: State
    state: State
    at: datetime
    noticed_at: datetime
    reason: str


def unseen(part: Part, now: datetime) -> Standing:
    """Begin with a part that was never looked at."""
    return Standing(part, State.UNKNOWN, now)


def step(
    before: Standing, reading: ProbeReading, cadence: Cadence, now: datetime, took_s: float
) -> tuple[Standing, Change | None]:
    """Take one reading.

    Returns:
        How the part stands now, and the change, if its state has changed.
    """
    looked = replace(
        before,
        at=now,
        took_s=took_s,
        seen=reading.state,
        seen_reason=reading.reason,
        evidence=reading.evidence,
        facts=reading.facts or before.facts,
    )
    if reading.state is State.UNKNOWN and before.state is not State.UNKNOWN:
        return looked, None
    if reading.state is before.state:
        return replace(_without_doubt(looked), reason=reading.reason), None
    # Looks that find it dead in several ways (hung, then down) confirm each other.
    counted = before.doubt is not None and _class(reading.state) == _class(before.doubt)
    doubted = before.doubted + 1 if counted else 1
    since = before.doubted_since if counted and before.doubted_since else now
    needed = _needed(before.state, reading.state, cadence)
    if doubted < needed:
        return replace(looked, doubt=reading.state, doubted=doubted, doubted_since=since), None
    changed = replace(
        _without_doubt(looked), state=reading.state, since=since, reason=reading.reason
    )
    return changed, Change(before.part, before.state, reading.state, since, now, reading.reason)


def _needed(was: State, found: State, cadence: Cadence) -> int:
    if _class(was) == _class(found):
        return 1
    worse = found in DEAD or (found in BAD and was not in DEAD)
    if worse:
        return cadence.failing
    return cadence.recovering if was in BAD else 1


def _class(state: State) -> int:
    return 2 if state in DEAD else 1 if state in BAD else 0


def _without_doubt(standing: Standing) -> Standing:
    return replace(standing, doubt=None, doubted=0, doubted_since=None)
