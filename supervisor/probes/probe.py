"""The contract of a probe: a look at one part of the running system, and what it found.

A probe never raises and never judges by a single sign: each step says what it proves, and the
state follows from all of them.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part of the system stands, the worst first."""

    DOWN = "down"
    HUNG = "hung"
    UNKNOWN = "unknown"
    DRIFTED = "drifted"
    BUSY = "busy"
    SLOW = "slow"
    UP = "up"


MEANINGS: dict[State, str] = {
    State.DOWN: "Nothing answers, or the part that does says that the engine behind it is dead.",
    State.HUNG: "It takes requests and makes no progress, whatever its health says.",
    State.UNKNOWN: "Its answers are inconclusive; the reason says why.",
    State.DRIFTED: "It works, and is not what it was, or not what the gateway asks for.",
    State.BUSY: "It makes progress, and requests wait in its queue.",
    State.SLOW: "It makes progress, later than it should.",
    State.UP: "Everything that was asked was answered well and in time.",
}


class Outcome(StrEnum):
    """How one step went."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One question and its answer.

    Attributes:
        name: Stable, for machines.
        proves: What a good answer proves, and no more than that.
        found: What came, for people.
    """

    name: str
    proves: str
    found: str
    outcome: Outcome
    took_s: float
