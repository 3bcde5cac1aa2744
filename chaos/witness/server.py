"""The witness: one server that stands in for the upstreams of a drill and writes down what came.

Invariant: it faults, stands in or forwards only a request that carries the nonce of a live
lease, on that lease's lane; everything else gets a 400 that no gateway retries, and is counted.

    /lane/N/…            redirect: LiteLLM adds each dialect's own path
    /twin/INDEX/…        twin: every deployment has an address, and a port, of its own
"""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from chaos.errors import WitnessError
from chaos.faults.fault import Fault, FaultName, Phase, Scene
from chaos.faults.http_error import prefill_refused, row_of
from chaos.faults.script import Head, Script, Send
from chaos.gateway.redirect_permission import LANES, lane_urls
from chaos.process.ports import holder, is_at
from chaos.protocol.conversation import Answer
from chaos.protocol.dialect import Call, RawCall
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.stand_in import compose
from chaos.witness.attempt import Attempt
from chaos.witness.bounded_server import BoundedServer
from chaos.witness.forwarder import Forwarder
from chaos.witness.late_calls import LateCalls
from chaos.witness.lease import MOST_RECORDS, Action, Lease, LeasedHop, Upstream
from chaos.witness.request import (
    MOST_UNKEYED_BYTES,
    BodyError,
    carries,
    key_owner,
    make_request,
    raw_call,
    read_body,
    refusal,
    words_of,
)
from chaos.witness.script_player import play
from chaos.witness.wire_record import AttemptOutcome, KeyOwner, credentials

MOST_CANARIES = 16
"""One for each injector that was opened lately; a late request carries one of them."""

_LANES = frozenset(map(str, range(LANES)))
"""As an address names them."""

_NO_ANSWER = Answer()
"""For faults that are an error answer and nothing else: they never look at what would be said."""


@dataclass(slots=True)
class Counts:
    """What has come since the start.

    Attributes:
        strays: Requests that no drill has sent.
        late: Attempts of drills that had ended.
        ours: Attempts of drills, live and late.
        last_late_at_s: When the last late one came, by ``time.monotonic``.
    """

    strays: int = 0
    late: int = 0
    ours: int = 0
    last_late_at_s: float = 0.0


@dataclass(slots=True)
class _Exchange:
    """One request of the gateway while it is answered."""

    request: web.BaseRequest
    lease: Lease
    attempt: Attempt
    raw: RawCall
    body: bytes
    address: str | None


class Witness:
    """Leases, lanes, faults, pass-through and wire records, on one event loop.

    Attributes:
        url: What the gateway dials, without the lane.
        counts: Requests that were refused.
        engine_keys: What local engines ask for, by ``host:port``; may change while it serves.
    """

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.engine_keys: dict[str, str] = {}
        self.counts = Counts()
        self._live: dict[str, Lease] = {}
        self._free: asyncio.Queue[int] = asyncio.Queue()
        for lane in range(LANES):
            self._free.put_nowait(lane)
        self._late = LateCalls()
        self._canaries: dict[str, None] = {}
        self._forwarder: Forwarder | None = None

    def lane_url(self, lane: int) -> str:
        """Name the base URL of a lane, as a drill's request carries it."""
        return lane_urls(self.url)[lane]

    @asynccontextmanager
    async def lane(self) -> AsyncIterator[int]:
        """Hold a lane, for one lease after the other; waits for a free one."""
        lane = await self._free.get()
        try:
            yield lane
        finally:
            self._free.put_nowait(lane)

    async def lease(
        self,
        *,
        nonce: str,
        hops: Sequence[LeasedHop],
        others: Sequence[Upstream] = (),
        ttl_s: float,
        on_lane: bool = True,
        lane: int | None = None,
        canary: str | None = None,
        wants_canary: bool = False,
        secret: str | None = None,
        peers: frozenset[str] | None = None,
        most_records: int = MOST_RECORDS,
    ) -> Lease:
        """Take a lease. End it with ``await lease.end()``, always.

        Args:
            on_lane: False for a twin, whose deployments have addresses.
            lane: One that the caller holds; by default waits for a free one, until the end of
                the lease.
            canary: The key that a drill's requests carry, where they carry none of the gateway's.
            wants_canary: Requests without it are not the drill's.
            secret: What the request's text has to hold besides the nonce.
            peers: Where a request with a real key may come from; None for anywhere.
            most_records: Attempts that the lease remembers.
        """
        frees_lane = on_lane and lane is None
        if frees_lane:
            lane = await self._free.get()
        lease = Lease(
            nonce=nonce,
            lane=lane,
            hops=tuple(hops),
            others=tuple(others),
            expires_at_s=time.monotonic() + ttl_s,
            canary=canary,
            wants_canary=wants_canary,
            secret=secret,
            peers=peers,
            frees_lane=frees_lane,
            most_records=most_records,
            release=self._release,
        )
        self._live[nonce] = lease
        if canary is not None:
            self._canaries[canary] = None
            while len(self._canaries) > MOST_CANARIES:
                self._canaries.pop(next(iter(self._canaries)))
        asyncio.get_running_loop().call_later(ttl_s, lease.over.set)
        return lease

    def _release(self, lease: Lease) -> None:
        if self._live.pop(lease.nonce, None) is None:
            return
        self._late.end(lease.nonce)
        if lease.frees_lane and lease.lane is not None:
            self._free.put_nowait(lease.lane)

    def late_attempts(self, nonce: str) -> int:
        """Count the requests of an ended drill that came after its end."""
        return self._late.count(nonce)

    async def handle(self, request: web.BaseRequest, server: BoundedServer) -> web.StreamResponse:
        """Answer one request of the gateway, or of whoever found the port.

        Path and headers come first: a stranger is refused before a byte of its body is read.
        """
        parts = request.rel_url.raw_path.split("/", 3)
        path = "/" + "/".join(parts[3:])
        if len(parts) == 3:
            # LiteLLM puts Vertex AI's operation right behind the address, without a slash.
            parts[2], colon, operation = parts[2].partition(":")
            path = f"/{colon}{operation}"
        if len(parts) >= 3 and parts[1] == "lane" and parts[2] in _LANES:
            lane, address = int(parts[2]), None
        elif len(parts) >= 3 and parts[1] == "twin":
            lane, address = None, parts[2]
        else:
            return self._stray("this is no lane")
        leases = [
            lease
            for lease in self._live.values()
            if lease.owns(lane, address) and _is_keyed(request, lease)
        ]
        if not leases:
            return self._stranger(request)
        try:
            body = await self._body(request, server, leases)
            return await self._leased(request, path, address, leases, body)
        except BodyError as error:
            return self._stray(str(error))
        finally:
            server.let_go(request)

    async def _body(
        self, request: web.BaseRequest, server: BoundedServer, leases: Sequence[Lease]
    ) -> bytes:
        """Read what may be a drill's: with its key at length, without it only so much."""
        if any(lease.wants_canary for lease in leases):
            server.keep(request)
            return await read_body(request)
        with server.reading_unproven(request):
            body = await read_body(request, MOST_UNKEYED_BYTES)
        if any(lease.nonce.encode() in body for lease in leases):
            server.keep(request)
        return body

    async def _leased(
        self,
        request: web.BaseRequest,
        path: str,
        address: str | None,
        leases: Sequence[Lease],
        body: bytes,
    ) -> web.StreamResponse:
        """Answer a request that has the key of one of *leases*."""
        raw = raw_call(request, path, body)
        lease = _lease_of(raw, leases)
        if lease is None:
            return self._keyed_stray(raw, leases)
        if lease.over.is_set() or time.monotonic() >= lease.expires_at_s:
            # Also in the moment that attempts get to end: what begins then is late.
            return self._is_late()
        self.counts.ours += 1
        attempt = lease.begin()
        attempt.abort = request.transport.abort if request.transport else None
        try:
            attempt.body = raw.body
            attempt.credentials = credentials(raw.headers, raw.query)
            return await self._answer(_Exchange(request, lease, attempt, raw, body, address))
        except asyncio.CancelledError:
            attempt.caller_left = not attempt.cut
            raise
        except ConnectionError:
            # The gateway closed the connection while we were writing.
            attempt.caller_left = not attempt.cut
            return attempt.played.response or web.StreamResponse()
        finally:
            lease.finish(attempt)

    def _stranger(self, request: web.BaseRequest) -> web.Response:
        """Refuse what no live lease is for; with a key of ours it is an ended drill's."""
        if any(carries(request, canary) for canary in self._canaries):
            return self._is_late()
        return self._stray("no drill runs here, or not with this key")

    def _keyed_stray(self, raw: RawCall, leases: Sequence[Lease]) -> web.Response:
        """Refuse a request with the right key and no live nonce: it is late, or has lost it."""
        if self._late.take(words_of(raw.body)):
            return self._is_late()
        for lease in leases:
            lease.strays += 1
        return self._stray("the request carries no live drill's nonce")

    async def _answer(self, exchange: _Exchange) -> web.StreamResponse:
        attempt, raw, lease = exchange.attempt, exchange.raw, exchange.lease
        hop, upstreams, call = lease.match(raw, exchange.address)
        attempt.peer = exchange.request.remote
        attempt.via_proxy = "via" in raw.headers or exchange.request.raw_path.startswith("http")
        if call is None or not upstreams:
            return _refuse(attempt, "no upstream of this drill's gateway fits the request")
        attempt.call = call
        lease.place(attempt, upstreams[0].group)
        attempt.deployment = upstreams[0].deployment if len(upstreams) == 1 else None
        attempt.key_owner = key_owner(raw, upstreams[0].dialect, lease.canary)
        action = _action(hop, lease, upstreams)
        if hop is not None and action is Action.FAULT and hop.fault and hop.fault_name:
            return await self._fault(exchange, call, hop.fault, hop.fault_name)
        if not call.readable:
            return _refuse(attempt, "the witness does not speak this hop's language")
        if hop is not None and action is Action.FORWARD:
            return await self._forward(exchange, hop, upstreams[0])
        refused = _refused_prefill(attempt, call, upstreams[0])
        if refused is not None:
            attempt.outcome = AttemptOutcome.ERRORED
            return await _play(exchange, refused)
        attempt.outcome = AttemptOutcome.STOOD_IN
        return await _play(exchange, _good_reply(attempt, call))

    async def _fault(
        self, exchange: _Exchange, call: Call, fault: Fault, name: FaultName
    ) -> web.StreamResponse:
        attempt = exchange.attempt
        attempt.outcome = AttemptOutcome.FAULTED
        dialect = DIALECTS[call.dialect]
        # A dialect may lack the fault that others of its group have: the record says what it got.
        attempt.fault = str(row_of(dialect, name)[0] if fault.status_fault else name)
        # Two answers that are cut and put together must be told apart by their text.
        struck_late = fault.phase is Phase.AFTER_FIRST_BYTE
        marker = f"[{attempt.group}, attempt {attempt.ordinal}] " if struck_late else ""
        scene = Scene(
            dialect=dialect,
            call=call,
            answer=_NO_ANSWER if fault.status_fault else _answer(attempt, call, marker),
            variant=name.variant,
        )
        return await _play(exchange, fault.script(scene))

    async def _forward(
        self, exchange: _Exchange, hop: LeasedHop, upstream: Upstream
    ) -> web.StreamResponse:
        attempt, lease = exchange.attempt, exchange.lease
        keyed = attempt.key_owner in (KeyOwner.OTHER, KeyOwner.MIXED)
        base = lease.real_address(exchange.raw, exchange.address, keyed=keyed)
        if base is None or self._forwarder is None:
            return _refuse(attempt, "the real address of this hop is not known for certain")
        if keyed and lease.peers is not None and attempt.peer not in lease.peers:
            came, canary = attempt.peer, ", ".join(sorted(lease.peers))
            return _refuse(attempt, f"it came from {came}, and the canary from {canary}")
        if not upstream.local and lease.attempts_at(hop.group) > hop.attempts_allowed:
            # The budget has reserved no more than the gateway's own settings explain.
            return _refuse(attempt, f"{hop.attempts_allowed} attempts at this paid hop are over")
        attempt.trouble = await self._forwarder.forward(
            exchange.request,
            upstream.dialect.real_url(base, exchange.raw),
            exchange.body,
            attempt.played,
            local=upstream.local,
        )
        return attempt.played.response or web.StreamResponse()

    def _is_late(self) -> web.Response:
        counts = self.counts
        counts.late, counts.ours, counts.last_late_at_s = (
            counts.late + 1,
            counts.ours + 1,
            time.monotonic(),
        )
        return refusal("the drill that this request belongs to has ended")

    def _stray(self, why: str) -> web.Response:
        self.counts.strays += 1
        return refusal(why)

    def server(self) -> BoundedServer:
        """Make a server that answers as this witness, for a port of a twin's too."""
        return BoundedServer(self.handle, make_request)

    @asynccontextmanager
    async def serving(
        self, listen: Sequence[tuple[str, int]], held: Sequence[socket.socket] = ()
    ) -> AsyncIterator["Witness"]:
        """Listen on every address of *listen* until the context ends.

        Port 0 is allowed for tests; ``url`` is then set to the address that was taken.

        Args:
            held: Sockets that listen already, on some of the addresses; the others are opened.

        Raises:
            WitnessError: An address is taken, or not one of this machine's.
        """
        runner = web.ServerRunner(self.server(), shutdown_timeout=1.0)
        await runner.setup()
        self._forwarder = Forwarder(keys=self.engine_keys)
        try:
            for host, port in listen:
                kept = next((one for one in held if is_at(one, host, port)), None)
                try:
                    if kept is not None:
                        await web.SockSite(runner, kept).start()
                    else:
                        await web.TCPSite(runner, host, port).start()
                except OSError as error:
                    raise _not_there(host, port, error) from error
            if not self.url:
                host, port = runner.addresses[0][:2]
                self.url = f"http://{host}:{port}"
            yield self
        finally:
            for lease in list(self._live.values()):
                await lease.end(grace_s=0.0)
            await runner.cleanup()
            await self._forwarder.close()


def _is_keyed(request: web.BaseRequest, lease: Lease) -> bool:
    """Tell whether a request carries what *lease* wants to see before its body is read."""
    return not lease.wants_canary or (lease.canary is not None and carries(request, lease.canary))


def _lease_of(raw: RawCall, leases: Sequence[Lease]) -> Lease | None:
    """Find the lease whose nonce, and secret where it has one, are in the request's own text."""
    words = list(words_of(raw.body))

    def holds(token: str) -> bool:
        return any(token in word for word in words)

    return next(
        (
            lease
            for lease in leases
            if holds(lease.nonce) and (lease.secret is None or holds(lease.secret))
        ),
        None,
    )


def _refuse(attempt: Attempt, why: str) -> web.Response:
    attempt.played.status, attempt.message = 400, why
    return refusal(why)


async def _play(exchange: _Exchange, script: Script) -> web.StreamResponse:
    played = exchange.attempt.played
    await play(exchange.request, script, until=exchange.lease.over, played=played)
    return played.response or web.StreamResponse()


def _action(hop: LeasedHop | None, lease: Lease, upstreams: Sequence[Upstream]) -> Action:
    if hop is None:
        return Action.STAND_IN
    unharmed = not lease.striking or all(upstream.spared for upstream in upstreams)
    if hop.action is Action.FAULT and unharmed:
        return hop.then
    first = lease.attempts_at(hop.group) <= 1  # this attempt is already counted
    if hop.action is Action.FAULT and hop.fault_name is not None and hop.fault_name.once:
        return Action.FAULT if first else hop.then
    return hop.action


def _answer(attempt: Attempt, call: Call, marker: str = "") -> Answer:
    return compose(call.format.read_ask(attempt.body), marker=marker)


def _refused_prefill(attempt: Attempt, call: Call, upstream: Upstream) -> Script | None:
    """Refuse, where the real one would, to go on with words that a gateway put into its mouth."""
    if not upstream.refuses_prefill:
        return None
    asked = call.format.read_ask(attempt.body)
    return prefill_refused(upstream.dialect, call.model) if asked.prefilled else None


def _good_reply(attempt: Attempt, call: Call) -> Script:
    answer = _answer(attempt, call)
    pieces = call.format.write_answer(answer, model=call.model, stream=call.stream)
    head = Head(200, (("content-type", call.format.content_type(stream=call.stream)),))
    return Script((head, *(Send(piece.data) for piece in pieces)))


def _not_there(host: str, port: int, error: OSError) -> WitnessError:
    if error.errno == errno.EADDRINUSE:
        return WitnessError(
            f"the witness cannot listen on {host}:{port}: the port is taken by {holder(port)}",
            remedy="If it is the daemon, have it drill: leave --local out, and name the gateway as "
            "'understudy status' does. If the daemon's socket unit holds it, start the daemon: "
            "systemctl start understudy. Else stop that process, or give --witness-listen and "
            "--witness-url an address that the gateway's permission covers.",
        )
    return WitnessError(
        f"the witness cannot listen on {host}:{port}: {error.strerror or error}",
        remedy="Give --witness-listen an address of this machine.",
    )
