"""A lease: for how long, for which nonce and for which hops the witness may act.

The safe state needs nobody alive: a lease that is not renewed ends by itself, and without a
live lease the witness refuses everything.
"""

import asyncio
import contextlib
import gzip
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.conversation import Ask, Json
from chaos.dialect import Call, Dialect, RawCall
from chaos.fault import Fault, FaultName
from chaos.player import Played
from chaos.reading import Reading
from chaos.wire import AttemptOutcome, KeyOwner, WireRecord

MOST_RECORDS = 1000
"""Attempts that one lease remembers; LiteLLM makes a handful, a loop could make thousands."""


class Action(StrEnum):
    """What the witness does for a hop."""

    FAULT = "fault"
    FORWARD = "forward"
    STAND_IN = "stand_in"


@dataclass(frozen=True, slots=True)
class Upstream:
    """One deployment as it can be known on the wire, and where it really is.

    Attributes:
        base_url: Where to forward; None if it may only be faulted or stood in for.
        address: What tells it apart among a twin's addresses; None for a lane, where every
            deployment shares one address.
    """

    group: str
    deployment: str
    dialect: Dialect
    model: str
    base_url: str | None = None
    local: bool = True
    address: str | None = None


@dataclass(frozen=True, slots=True)
class LeasedHop:
    """What to do when a group is contacted.

    Attributes:
        fault: For ``Action.FAULT``.
        then: For a fault that strikes once: what happens from the second attempt on.
        attempts_allowed: Tells look-alike hops apart, which all have to fail: the first one
            that has attempts left is meant.
    """

    group: str
    upstreams: tuple[Upstream, ...]
    action: Action
    fault: Fault | None = None
    fault_name: FaultName | None = None
    then: Action = Action.STAND_IN
    attempts_allowed: int = 3


@dataclass(slots=True)
class Attempt:
    """One request while it is being answered; becomes a ``WireRecord``."""

    ordinal: int
    started_at_s: float
    outcome: AttemptOutcome = AttemptOutcome.REFUSED
    group: str | None = None
    deployment: str | None = None
    call: Call | None = None
    body: Json = field(default_factory=dict)
    fault: str | None = None
    played: Played = field(default_factory=Played)
    ended_at_s: float = 0.0
    key_owner: KeyOwner = KeyOwner.NONE
    via_proxy: bool = False
    encoding: str | None = None
    upstream_message: str | None = None
    caller_left: bool = False
    abort: Callable[[], None] | None = None
    done: bool = False

    def record(self) -> WireRecord:
        """Freeze it; the reply's bytes are read only now, off the hot path."""
        call = self.call
        reply = self._read()
        message = self.upstream_message
        if message is None and reply is not None and reply.error is not None:
            message = reply.error.message[:500]
        return WireRecord(
            ordinal=self.ordinal,
            group=self.group,
            deployment=self.deployment,
            dialect=call.dialect if call else None,
            operation=call.format.name if call else None,
            model=call.model if call else None,
            stream=call.stream if call else False,
            outcome=self.outcome,
            status=self.played.status,
            fault=self.fault,
            started_at_s=self.started_at_s,
            first_byte_at_s=self.played.first_byte_at_s,
            ended_at_s=self.ended_at_s,
            sent_bytes=self.played.sent_bytes,
            asked=self._asked(),
            reply=reply,
            upstream_message=message,
            key_owner=self.key_owner,
            whole=self.played.whole,
            caller_left=self.caller_left,
            via_proxy=self.via_proxy,
            body_fields=tuple(sorted(self.body)),
        )

    def _asked(self) -> Ask | None:
        return self.call.format.read_ask(self.body) if self.call else None

    def _read(self) -> Reading | None:
        if self.call is None or self.played.status is None:
            return None
        if self.played.sent_bytes > len(self.played.sent):
            return None  # a copy that was cut would read like a reply that was
        body = _decoded(bytes(self.played.sent), self.encoding)
        if body is None:
            return None
        if not self.call.stream or self.played.status >= 300 or body.lstrip()[:1] in (b"{", b"<"):
            return self.call.format.read_reply(self.played.status, body)
        reader = self.call.format.stream_reader()
        reader.feed(body)
        return reader.close()


def _decoded(body: bytes, encoding: str | None) -> bytes | None:
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
    except (OSError, EOFError, zlib.error):
        return None
    return body if encoding in (None, "identity") else None


def _fitting(
    upstreams: Iterable[Upstream], raw: RawCall, address: str | None
) -> dict[str, tuple[list[Upstream], Call]]:
    """Find the upstreams that *raw* can be for, and how it reads there, by model group."""
    fitting: dict[str, tuple[list[Upstream], Call]] = {}
    calls: dict[str, Call | None] = {}
    for upstream in upstreams:
        if address is not None and upstream.address != address:
            continue
        dialect = upstream.dialect
        if dialect.name not in calls:
            calls[dialect.name] = dialect.recognise(raw)
        call = calls[dialect.name]
        if call is not None and (address is not None or call.model == upstream.model):
            fitting.setdefault(upstream.group, ([], call))[0].append(upstream)
    return fitting


@dataclass(slots=True, eq=False)
class Lease:
    """The witness's permission to act for one drill.

    Attributes:
        nonce: Requests that carry it belong to the drill.
        lane: The lane they have to come on; None for a twin.
        hops: What to do for the groups of the chain.
        strays: Requests without a live nonce that came on the lane meanwhile.
        others: Every other upstream of the topology: contacted by mistake, they are stood in
            for, so that the drill can tell which one was.
        over: Set when the lease ends.
    """

    nonce: str
    lane: int | None
    hops: tuple[LeasedHop, ...]
    others: tuple[Upstream, ...]
    expires_at_s: float
    canary: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    unrecorded: int = 0
    strays: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    in_flight: int = 0
    release: Callable[["Lease"], None] | None = None
    _at_group: Counter[str] = field(init=False, default_factory=Counter)
    _hop_of: Mapping[str, LeasedHop] = field(init=False)
    _chain: tuple[Upstream, ...] = field(init=False)
    _records: tuple[WireRecord, ...] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._hop_of = {hop.group: hop for hop in reversed(self.hops)}
        self._chain = tuple(upstream for hop in self.hops for upstream in hop.upstreams)

    def begin(self) -> Attempt:
        """Open the record of one more attempt."""
        attempt = Attempt(ordinal=len(self.attempts) + 1, started_at_s=time.monotonic())
        if len(self.attempts) < MOST_RECORDS:
            self.attempts.append(attempt)
        else:
            self.unrecorded += 1
        self.in_flight += 1
        self.idle.clear()
        return attempt

    def finish(self, attempt: Attempt) -> None:
        """Close the record of an attempt."""
        attempt.ended_at_s = time.monotonic()
        attempt.done = True
        self.in_flight -= 1
        if self.in_flight == 0:
            self.idle.set()

    def place(self, attempt: Attempt, group: str) -> None:
        """Note that *attempt* is one at *group*."""
        attempt.group = group
        self._at_group[group] += 1

    def attempts_at(self, group: str) -> int:
        """Count the attempts at *group* so far, those without a record too."""
        return self._at_group[group]

    def match(
        self, raw: RawCall, address: str | None
    ) -> tuple[LeasedHop | None, tuple[Upstream, ...], Call | None]:
        """Tell which hop *raw* is for: by a twin's address, else by dialect and model.

        Returns:
            The hop (None for a group outside the chain), the upstreams of one group that fit
            (empty if none does) and the call as that group's dialect reads it.
        """
        # A group outside the chain that looks like a hop of it is not what was meant.
        fitting = _fitting(self._chain, raw, address) or _fitting(self.others, raw, address)
        if not fitting:
            return None, (), None
        group = self._meant(fitting)
        upstreams, call = fitting[group]
        return self._hop_of.get(group), tuple(upstreams), call

    def _meant(self, groups: Iterable[str]) -> str:
        """Choose among look-alikes: the first, in chain order, that has attempts left."""
        first, *others = groups
        for group in (first, *others) if others else ():
            hop = self._hop_of.get(group)
            if hop is not None and self.attempts_at(group) < hop.attempts_allowed:
                return group
        return first

    async def end(self, *, grace_s: float = 1.0) -> tuple[WireRecord, ...]:
        """End the lease and tell what crossed the wire.

        Attempts still being answered get *grace_s* to end; silence ends at once.
        """
        self.over.set()
        if self.in_flight:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self.idle.wait()
        for attempt in self.attempts:
            if not attempt.done and attempt.abort is not None:
                attempt.abort()  # nothing outlives its lease: no call of an ended drill goes on
        if self.release is not None:
            self.release(self)
        self._records = self.records()
        return self._records

    def records(self) -> tuple[WireRecord, ...]:
        """Freeze the attempts: as they are now, or as they were when the lease ended."""
        if self._records is not None:
            return self._records
        return tuple(attempt.record() for attempt in self.attempts)
