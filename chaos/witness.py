"""The witness: one server that stands in for the upstreams of a drill and writes down what came.

Invariant: it faults, stands in or forwards only a request that carries the nonce of a live
lease, on that lease's lane; everything else gets a 400 that no gateway retries, and is counted.

    /lane/N/…            redirect: LiteLLM adds each dialect's own path
    /twin/INDEX/…        twin: every deployment has an address, and a port, of its own
"""

import asyncio
import contextlib
import errno
import json
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic_core import from_json

from chaos.conversation import Answer
from chaos.dialect import Call, RawCall
from chaos.dialects import DIALECTS
from chaos.errors import WitnessError
from chaos.fault import Fault, FaultName, Phase, Scene
from chaos.forward import Forwarder
from chaos.lease import Action, Attempt, Lease, LeasedHop, Upstream
from chaos.player import play
from chaos.port_holder import holder
from chaos.script import Head, Script, Send
from chaos.stand_in import compose
from chaos.wire import AttemptOutcome, KeyOwner

LANES = 4
"""Few and fixed: every new URL leaves a new deployment id and new series in LiteLLM."""

REMEMBER_S = 24 * 3600.0
MOST_REMEMBERED = 20_000
MOST_REQUEST_BYTES = 64 << 20
_NO_ANSWER = Answer()
"""For faults that are an error answer and nothing else: they never look at what would be said."""

NONCE_LIKE = re.compile(r"[0-9a-f]{8}|[a-z]+(?:-[a-z]+){3}")


@dataclass(slots=True)
class Counts:
    """What came without a live lease, since the start."""

    strays: int = 0
    late: int = 0


@dataclass(slots=True)
class _Exchange:
    """One request of the gateway while it is answered."""

    request: web.BaseRequest
    lease: Lease
    attempt: Attempt
    raw: RawCall
    body: bytes


class Witness:
    """Leases, lanes, faults, pass-through and wire records, on one event loop.

    Attributes:
        url: What the gateway dials, without the lane.
        counts: Requests that were refused.
    """

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.counts = Counts()
        self._live: dict[str, Lease] = {}
        self._free: asyncio.Queue[int] = asyncio.Queue()
        for lane in range(LANES):
            self._free.put_nowait(lane)
        self._ended: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._forwarder: Forwarder | None = None

    def lane_url(self, lane: int) -> str:
        """Name the base URL of a lane, as a drill's request carries it."""
        return f"{self.url}/lane/{lane}"

    async def lease(
        self,
        *,
        nonce: str,
        hops: Sequence[LeasedHop],
        others: Sequence[Upstream] = (),
        ttl_s: float,
        on_lane: bool = True,
        canary: str | None = None,
    ) -> Lease:
        """Take a lease; waits for a free lane. End it with ``await lease.end()``, always."""
        lane = await self._free.get() if on_lane else None
        now_s = time.monotonic()
        self._forget(now_s)
        lease = Lease(
            nonce=nonce,
            lane=lane,
            hops=tuple(hops),
            others=tuple(others),
            expires_at_s=now_s + ttl_s,
            canary=canary,
            release=self._release,
        )
        self._live[nonce] = lease
        asyncio.get_running_loop().call_later(ttl_s, lease.over.set)
        return lease

    def _release(self, lease: Lease) -> None:
        if self._live.pop(lease.nonce, None) is None:
            return
        self._ended[lease.nonce] = (time.monotonic(), 0)
        if lease.lane is not None:
            self._free.put_nowait(lease.lane)

    def late_attempts(self, nonce: str) -> int:
        """Count the requests of an ended drill that came after its end."""
        return self._ended.get(nonce, (0.0, 0))[1]

    def _forget(self, now_s: float) -> None:
        while self._ended:
            ended_at_s, _ = next(iter(self._ended.values()))
            if now_s - ended_at_s < REMEMBER_S and len(self._ended) <= MOST_REMEMBERED:
                return
            self._ended.popitem(last=False)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of the gateway, or of whoever found the port."""
        parts = request.rel_url.raw_path.split("/", 3)
        body = await request.read()
        if len(parts) >= 3 and parts[1] == "lane" and parts[2].isdigit():
            lane, address = int(parts[2]), None
            path = "/" + "/".join(parts[3:])
        elif len(parts) >= 3 and parts[1] == "twin":
            lane, address = None, parts[2]
            path = "/" + "/".join(parts[3:])
        else:
            return self._stray(None, "this is no lane")
        lease = self._lease_of(lane, body)
        if lease is None:
            return self._unleased(lane, body)
        attempt = lease.begin()
        attempt.abort = request.transport.abort if request.transport else None
        try:
            raw = _raw_call(request, path, body)
            attempt.body = raw.body
            return await self._answer(_Exchange(request, lease, attempt, raw, body), address)
        except asyncio.CancelledError:
            attempt.caller_left = True
            raise
        except ConnectionError:
            # The gateway closed the connection while we were writing.
            attempt.caller_left = True
            return attempt.played.response or web.StreamResponse()
        finally:
            lease.finish(attempt)

    def _lease_of(self, lane: int | None, body: bytes) -> Lease | None:
        now_s = time.monotonic()
        for nonce, lease in self._live.items():
            if lease.lane == lane and nonce.encode() in body:
                alive = now_s < lease.expires_at_s and not lease.over.is_set()
                return lease if alive else None
        return None

    async def _answer(self, exchange: _Exchange, address: str | None) -> web.StreamResponse:
        attempt, raw, lease = exchange.attempt, exchange.raw, exchange.lease
        hop, upstreams, call = lease.match(raw, address)
        attempt.via_proxy = "via" in raw.headers or exchange.request.raw_path.startswith("http")
        if call is None or not upstreams:
            attempt.played.status = 400
            return _refusal("no upstream of this drill's gateway fits the request")
        attempt.call = call
        lease.place(attempt, upstreams[0].group)
        attempt.deployment = upstreams[0].deployment if len(upstreams) == 1 else None
        attempt.key_owner = _key_owner(raw, upstreams[0], lease.canary)
        action = _action(hop, lease)
        if hop is not None and action is Action.FAULT and hop.fault and hop.fault_name:
            return await self._fault(exchange, call, hop.fault, hop.fault_name)
        if action is Action.FORWARD:
            return await self._forward(exchange, upstreams)
        attempt.outcome = AttemptOutcome.STOOD_IN
        return await _play(exchange, _good_reply(attempt, call))

    async def _fault(
        self, exchange: _Exchange, call: Call, fault: Fault, name: FaultName
    ) -> web.StreamResponse:
        attempt = exchange.attempt
        attempt.outcome = AttemptOutcome.FAULTED
        attempt.fault = str(name)
        # Two answers that are cut and put together must be told apart by their text.
        struck_late = fault.phase is Phase.AFTER_FIRST_BYTE
        marker = f"[{attempt.group}, attempt {attempt.ordinal}] " if struck_late else ""
        scene = Scene(
            dialect=DIALECTS[call.dialect],
            call=call,
            answer=_NO_ANSWER if fault.status_fault else _answer(attempt, call, marker),
            variant=name.variant,
        )
        return await _play(exchange, fault.script(scene))

    async def _forward(
        self, exchange: _Exchange, upstreams: Sequence[Upstream]
    ) -> web.StreamResponse:
        attempt = exchange.attempt
        bases = {upstream.base_url for upstream in upstreams}
        base = bases.pop() if len(bases) == 1 else None
        if base is None or self._forwarder is None:
            attempt.played.status = 400
            return _refusal("the real address of this hop is not known for certain")
        upstream = upstreams[0]
        trouble = await self._forwarder.forward(
            exchange.request,
            upstream.dialect.real_url(base, exchange.raw),
            exchange.body,
            attempt.played,
            local=upstream.local,
        )
        status = attempt.played.status
        good = trouble is None and status is not None and 200 <= status < 300
        attempt.outcome = AttemptOutcome.SERVED if good else AttemptOutcome.ERRORED
        attempt.upstream_message = trouble
        return attempt.played.response or web.StreamResponse()

    def _unleased(self, lane: int | None, body: bytes) -> web.Response:
        for found in NONCE_LIKE.findall(body.decode("utf-8", "replace")):
            if found in self._ended:
                ended_at_s, late = self._ended[found]
                self._ended[found] = (ended_at_s, late + 1)
                self.counts.late += 1
                return _refusal("the drill that this request belongs to has ended")
        return self._stray(lane, "the request carries no live drill's nonce")

    def _stray(self, lane: int | None, why: str) -> web.Response:
        self.counts.strays += 1
        for lease in self._live.values():
            if lane is not None and lease.lane == lane:
                lease.strays += 1
        return _refusal(why)

    def server(self) -> web.Server:
        """Make a server that answers as this witness, for a port of a twin's."""
        return web.Server(
            self.handle,
            request_factory=_request_factory,
            handler_cancellation=True,
            access_log=None,
        )

    @asynccontextmanager
    async def serving(self, listen: Sequence[tuple[str, int]]) -> AsyncIterator["Witness"]:
        """Listen on every address of *listen* until the context ends.

        Port 0 is allowed for tests; ``url`` is then set to the address that was taken.

        Raises:
            WitnessError: An address is taken, or not one of this machine's.
        """
        runner = web.ServerRunner(self.server(), shutdown_timeout=1.0)
        await runner.setup()
        self._forwarder = Forwarder()
        try:
            for host, port in listen:
                try:
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


async def _play(exchange: _Exchange, script: Script) -> web.StreamResponse:
    played = exchange.attempt.played
    await play(exchange.request, script, until=exchange.lease.over, played=played)
    return played.response or web.StreamResponse()


def _action(hop: LeasedHop | None, lease: Lease) -> Action:
    if hop is None:
        return Action.STAND_IN
    first = lease.attempts_at(hop.group) <= 1  # this attempt is already counted
    if hop.action is Action.FAULT and hop.fault_name is not None and hop.fault_name.once:
        return Action.FAULT if first else hop.then
    return hop.action


def _answer(attempt: Attempt, call: Call, marker: str = "") -> Answer:
    return compose(call.format.read_ask(attempt.body), marker=marker)


def _good_reply(attempt: Attempt, call: Call) -> Script:
    answer = _answer(attempt, call)
    pieces = call.format.write_answer(answer, model=call.model, stream=call.stream)
    head = Head(200, (("content-type", call.format.content_type(stream=call.stream)),))
    return Script((head, *(Send(piece.data) for piece in pieces)))


def _raw_call(request: web.BaseRequest, path: str, body: bytes) -> RawCall:
    parsed = _parsed(body)
    return RawCall(
        method=request.method,
        path=path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=parsed if isinstance(parsed, dict) else {},
        query=request.rel_url.raw_query_string,
    )


def _parsed(body: bytes) -> Any:
    """Parse JSON; None where it is none."""
    try:
        return from_json(body)
    except ValueError:
        # The fast parser refuses what Python takes, such as half of a surrogate pair.
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(body)
    return None


def _key_owner(raw: RawCall, upstream: Upstream, canary: str | None) -> KeyOwner:
    """Tell whose credential came, without keeping it."""
    names = {*upstream.dialect.key_headers, "authorization"}
    keys = [raw.headers[name] for name in names if name in raw.headers]
    if not keys:
        return KeyOwner.NONE
    ours = canary is not None and all(canary in key for key in keys)
    return KeyOwner.CANARY if ours else KeyOwner.OTHER


def _refusal(why: str) -> web.Response:
    """Refuse with a status that no gateway retries, in an envelope that every dialect shows."""
    error = {
        "message": f"Understudy's witness refuses: {why}.",
        "type": "invalid_request_error",
        "code": "understudy_refused",
    }
    return web.json_response({"type": "error", "error": error}, status=400)


def _request_factory(
    message: Any, payload: Any, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        asyncio.get_running_loop(),
        client_max_size=MOST_REQUEST_BYTES,
    )


def _not_there(host: str, port: int, error: OSError) -> WitnessError:
    if error.errno == errno.EADDRINUSE:
        return WitnessError(
            f"the witness cannot listen on {host}:{port}: the port is taken by {holder(port)}",
            remedy="Stop that process, or give --witness-listen and --witness-url an address "
            "that the gateway's permission covers.",
        )
    return WitnessError(
        f"the witness cannot listen on {host}:{port}: {error.strerror or error}",
        remedy="Give --witness-listen an address of this machine.",
    )
