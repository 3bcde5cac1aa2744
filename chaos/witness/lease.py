"""A lease: for how long, for which nonce and for which hops the witness may act.

The safe state needs nobody alive: a lease that is not renewed ends by itself, and without a
live lease the witness refuses everything.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.faults.fault import Fault, FaultName
from chaos.protocol.dialect import Call, Dialect, RawCall
from chaos.witness.attempt import Attempt
from chaos.witness.script_player import KEPT_BYTES, ByteBudget, Played
from chaos.witness.wire_record import WireRecord

MOST_RECORDS = 100
"""Attempts that one lease remembers; LiteLLM makes a handful, a loop could make thousands."""

MOST_KEPT_BYTES = 16 * KEPT_BYTES
"""How much is kept of all replies of one lease together."""


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
        spared: It is not made to fail where its group is.
        refuses_prefill: A stand-in for it refuses a conversation that ends with its own words.
    """

    group: str
    deployment: str
    dialect: Dialect
    model: str
    base_url: str | None = None
    local: bool = True
    address: str | None = None
    spared: bool = False
    refuses_prefill: bool = False


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
        wants_canary: A request without the canary is not the drill's.
        secret: What a request's text has to hold besides the nonce; None for nothing.
        peers: Where a request with a real key may come from; None for anywhere.
        strays: Requests with its key and without a live nonce: its own, whose nonce was lost.
        others: Every other upstream of the topology: contacted by mistake, they are stood in
            for, so that the drill can tell which one was.
        frees_lane: The lane ends with the lease; it does not where somebody else holds it.
        striking: Its faults strike. They do from the start, and a sequence lets them end.
        most_records: Attempts that it remembers.
        over: Set when the lease ends.
    """

    nonce: str
    lane: int | None
    hops: tuple[LeasedHop, ...]
    others: tuple[Upstream, ...]
    expires_at_s: float
    canary: str | None = None
    wants_canary: bool = False
    secret: str | None = None
    peers: frozenset[str] | None = None
    frees_lane: bool = True
    striking: bool = True
    most_records: int = MOST_RECORDS
    attempts: list[Attempt] = field(default_factory=list)
    unrecorded: int = 0
    strays: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    release: Callable[["Lease"], None] | None = None
    _open: set[Attempt] = field(init=False, default_factory=set)
    _budget: ByteBudget = field(init=False, default_factory=lambda: ByteBudget(MOST_KEPT_BYTES))
    _at_group: Counter[str] = field(init=False, default_factory=Counter)
    _hop_of: Mapping[str, LeasedHop] = field(init=False)
    _chain: tuple[Upstream, ...] = field(init=False)
    _records: tuple[WireRecord, ...] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._hop_of = {hop.group: hop for hop in reversed(self.hops)}
        self._chain = tuple(upstream for hop in self.hops for upstream in hop.upstreams)

    def begin(self) -> Attempt:
        """Open the record of one more attempt."""
        attempt = Attempt(
            ordinal=len(self.attempts) + 1,
            started_at_s=time.monotonic(),
            played=Played(budget=self._budget),
        )
        if len(self.attempts) < self.most_records:
            self.attempts.append(attempt)
        else:
            self.unrecorded += 1
        self._open.add(attempt)
        self.idle.clear()
        return attempt

    def finish(self, attempt: Attempt) -> None:
        """Close the record of an attempt."""
        attempt.ended_at_s = time.monotonic()
        self._open.discard(attempt)
        if not self._open:
            self.idle.set()

    @property
    def in_flight(self) -> int:
        """Count the attempts that are still being answered."""
        return len(self._open)

    @property
    def credentials(self) -> frozenset[str]:
        """Everything that the attempts carried and nobody may keep."""
        return frozenset().union(*(attempt.credentials for attempt in self.attempts))

    def owns(self, lane: int | None, address: str | None) -> bool:
        """Tell whether a request at that lane, or at that address of a twin, can be its own."""
        if lane is not None:
            return self.lane == lane
        return any(upstream.address == address for upstream in (*self._chain, *self.others))

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

    def real_address(self, raw: RawCall, address: str | None, *, keyed: bool) -> str | None:
        """Say where *raw* may be passed on to: where everything is that it can be for.

        Args:
            keyed: It carries a key that is not ours, so groups outside the chain count too: one
                provider must not get the key of another.

        Returns:
            None if there are two such places.
        """
        candidates = (*self._chain, *self.others) if keyed else self._chain
        fitting = _fitting(candidates, raw, address)
        bases = {upstream.base_url for group, _ in fitting.values() for upstream in group}
        return bases.pop() if len(bases) == 1 else None

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
        try:
            if self.in_flight:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace_s):
                        await self.idle.wait()
        finally:
            self._cut_off()
            if self.release is not None:
                self.release(self)
            self._records = self.records()
        return self._records

    def _cut_off(self) -> None:
        """Let nothing outlive the lease: no call of an ended drill goes on."""
        for attempt in self._open:
            attempt.cut, attempt.ended_at_s = True, time.monotonic()
            if attempt.abort is not None:
                attempt.abort()

    def records(self) -> tuple[WireRecord, ...]:
        """Freeze the attempts: as they are now, or as they were when the lease ended."""
        if self._records is not None:
            return self._records
        return tuple(attempt.record() for attempt in self.attempts)
