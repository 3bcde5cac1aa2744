"""The contract of a probe: a look at one part of the running system, and what it found.

A probe never raises and never judges by a single sign: each step says what it proves, and the
state follows from all of them. ``runner`` decides when it looks, ``standing`` what its readings
make of the part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


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


class PartKind(StrEnum):
    """What can be looked at."""

    GATEWAY = "gateway"
    ENGINE = "engine"
    CONTAINER = "container"
    HEARTBEAT = "heartbeat"
    HOST = "host"


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A part of the running system.

    Attributes:
        name: Of an engine its model group, of a container the model group of its engine, of a
            heartbeat its name; empty where there is only one.
    """

    kind: PartKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class ProbeReading:
    """What one look found.

    Attributes:
        reason: Why *state*, for people, in one line.
        evidence: What was asked and answered.
        facts: What else was learnt, as JSON, by a name that the probe documents.
    """

    part: Part
    state: State
    reason: str
    evidence: tuple[Step, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often to look, and how often a look must agree before it counts.

    Attributes:
        every: From the end of a look to the beginning of the next; shortened by chance, by a
            tenth at most, so that probes do not march in step.
        deadline_s: A look that takes longer is given up, and says nothing.
        failing: Looks in a row that must find the part bad before it is called so.
        recovering: Looks in a row that must find it well again.
    """

    every: timedelta = timedelta(seconds=15)
    deadline_s: float = 60.0
    failing: int = 2
    recovering: int = 2


@runtime_checkable
class Listens(Protocol):
    """A probe that hears when its part may have changed: then it is looked at sooner."""

    async def listen(self, wake: Callable[[], None], /) -> None:
        """Call *wake* whenever something has happened; return where that cannot be heard."""
        ...


class Probe(Protocol):
    """A look at one part, again and again."""

    @property
    def part(self) -> Part:
        """What it looks at."""
        ...

    @property
    def cadence(self) -> Cadence:
        """How often it looks."""
        ...

    @property
    def across_network(self) -> bool:
        """It asks over a network: what it finds down may be this machine's own trouble."""
        ...

    async def probe(self, now: datetime, /) -> ProbeReading:
        """Look once."""
        ...
