"""Everything that was seen in one drill, without opinion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.protocol.reading import Reading
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import WireRecord


@dataclass(frozen=True, slots=True)
class ClientReply:
    """What the drill's client got.

    Attributes:
        status: HTTP status; None if no response came.
        headers: Names in lower case, credentials masked.
        reading: The body or the stream, read strictly.
        ttft_s: Seconds to the first output (text, reasoning or tool call); None if none came.
        total_s: Seconds to the end; None if it never ended by itself.
        timed_out: We gave up at the deadline.
        broke_off: The transport's own words when the connection broke; else None.
        disclosed: Where in it a key of a hop stood, such as ``the header x-debug``.
        asked_at_s: Monotonic seconds of this process, as the wire's are; None if nothing was asked.
        deadline_s: How long the client would have waited for the end.
    """

    status: int | None
    reading: Reading
    headers: Mapping[str, str] = field(default_factory=dict)
    ttft_s: float | None = None
    total_s: float | None = None
    timed_out: bool = False
    broke_off: str | None = None
    disclosed: tuple[str, ...] = ()
    asked_at_s: float | None = None
    deadline_s: float | None = None

    @property
    def ok(self) -> bool:
        """A status of 2xx: a claim of success."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the gateway was, as far as it shows.

    Attributes:
        lag_s: From the request to the first attempt on the wire; None if none came.
        undisturbed_s: How long a reply took before any drill; None if that was not measured.
        reached: Some attempt of this gateway has reached the witness, in time or late.
    """

    lag_s: float | None = None
    undisturbed_s: float | None = None
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """What a hop said when it was asked directly.

    Attributes:
        plan: Of that request, with a nonce of its own.
        reading: The hop's own reply; None where it gave an error or nothing.
    """

    plan: DrillPlan
    reading: Reading | None


class Stage(StrEnum):
    """When in a sequence a request was sent."""

    BEFORE = "before"
    DOWN = "down"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of a sequence.

    Attributes:
        wire: Its attempts: those that began after it, and before the next request.
    """

    stage: Stage
    asked_at_s: float
    reply: ClientReply
    wire: tuple[WireRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """One drill as two independent parties saw it, joined by the nonce.

    Attributes:
        reply: The client's side.
        wire: The other side of the gateway, in order of arrival.
        strays: Requests without a live nonce that came to the lane meanwhile.
        direct: What the serving hop said when it was asked directly, to tell who is to blame.
        on_chat: What a hop that lacks the drill's endpoint said on chat completions; empty where
            it was not asked.
        load: How busy the gateway was.
        collateral: What changed for other traffic, one sentence each.
        after: What an ordinary request got that was sent after a fault that strikes late; None if
            none was sent.
        aborted: Why the drill was broken off; None if it ran to its end.
        exchanges: The requests of a sequence, in order; *reply* is the worst one's then.
        down_at_s: When the fault of a sequence began; its end is *well_at_s*. None where it had
            not come so far.
    """

    reply: ClientReply
    wire: tuple[WireRecord, ...] = ()
    strays: int = 0
    direct: tuple[Sample, ...] = ()
    on_chat: tuple[Sample, ...] = ()
    load: Load = field(default_factory=Load)
    collateral: tuple[str, ...] = ()
    after: ClientReply | None = None
    aborted: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    down_at_s: float | None = None
    well_at_s: float | None = None
