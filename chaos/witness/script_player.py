"""Play a script on one connection: the only place where an upstream's misbehaviour becomes bytes.

Knows steps, no faults. The server must run with ``handler_cancellation=True``: a caller who
leaves cancels the handler, and that is how silence learns that nobody listens any more.
"""

import asyncio
import contextlib
import socket
import struct
import time
from dataclasses import dataclass, field

from aiohttp import web

from chaos.faults.script import Close, Head, Repeat, Script, Send, Silence, Step, Wait

LINGER_NONE = struct.pack("ii", 1, 0)
"""``SO_LINGER`` on with zero seconds: closing sends RST instead of FIN."""


KEPT_BYTES = 1 << 20
"""How much of a reply is kept to be read; longer replies are judged by their beginning."""


@dataclass(slots=True)
class ByteBudget:
    """How many bytes of replies may still be kept; several replies may share one."""

    left: int = KEPT_BYTES


@dataclass(slots=True)
class Played:
    """How far a script came; filled in while it plays, so that a cancelled one tells too.

    Attributes:
        whole: The script reached its end and its end was not a reset.
        sent: The first ``KEPT_BYTES`` of the body, for the record, while the budget lasts.
        coding: How the body is packed (``Content-Encoding``).
        reached: It is a real upstream's reply, or would be: the request may have got there.
    """

    status: int | None = None
    sent_bytes: int = 0
    first_byte_at_s: float | None = None
    whole: bool = False
    response: web.StreamResponse | None = None
    sent: bytearray = field(default_factory=bytearray)
    coding: str = ""
    reached: bool = False
    budget: ByteBudget = field(default_factory=ByteBudget)

    def note(self, data: bytes) -> None:
        """Count bytes of the body that went out, and keep the first of them."""
        self.sent_bytes += len(data)
        kept = min(KEPT_BYTES - len(self.sent), self.budget.left)
        if kept > 0:
            self.sent += data[:kept]
            self.budget.left -= min(kept, len(data))


async def play(
    request: web.BaseRequest,
    script: Script,
    *,
    until: asyncio.Event | None = None,
    played: Played | None = None,
) -> Played:
    """Play *script* as the reply to *request*.

    Args:
        until: Ends silence and repetition, with a reset: the lease is over.
        played: Filled in step by step; a new one by default.

    Returns:
        How far it came; its ``response`` is what the aiohttp handler returns.
    """
    played = played if played is not None else Played()
    steps = script.steps
    if _is_plain(steps):
        _reply_at_once(steps, played)
        return played
    for step in steps:
        if isinstance(step, Head):
            played.response = web.StreamResponse(status=step.status, headers=dict(step.headers))
            played.response.enable_chunked_encoding()
            await played.response.prepare(request)
            played.status = step.status
            played.first_byte_at_s = time.monotonic()
        elif isinstance(step, Send):
            await _send(step.data, played)
        elif isinstance(step, Wait):
            if await _over(until, step.seconds):
                return reset(request, played)
        elif isinstance(step, Repeat):
            while not await _over(until, step.every_s):
                await _send(step.data, played)
            return reset(request, played)
        elif isinstance(step, Silence):
            await _over(until, None)
            return reset(request, played)
        elif isinstance(step, Close):
            return close(request, played)
        else:
            return reset(request, played)
    if played.response is not None:
        await played.response.write_eof()
    played.whole = True
    return played


def _is_plain(steps: tuple[Step, ...]) -> bool:
    return isinstance(steps[0], Head) and all(isinstance(step, Send) for step in steps[1:])


def _reply_at_once(steps: tuple[Step, ...], played: Played) -> None:
    """Answer with one write: nine of ten faults are a status, headers and a body."""
    head = steps[0]
    assert isinstance(head, Head)  # noqa: S101 -- narrows the type; _is_plain has looked
    body = b"".join(step.data for step in steps[1:] if isinstance(step, Send))
    played.response = web.Response(status=head.status, headers=dict(head.headers), body=body)
    played.status = head.status
    played.note(body)
    played.first_byte_at_s = time.monotonic()
    played.whole = True


async def _send(data: bytes, played: Played) -> None:
    if played.response is None:
        raise ValueError("a script sends its body before its head")
    await played.response.write(data)
    played.note(data)


async def _over(until: asyncio.Event | None, seconds: float | None) -> bool:
    """Wait, and tell whether *until* came before *seconds* had passed."""
    if until is None:
        await (asyncio.Event().wait() if seconds is None else asyncio.sleep(seconds))
        return False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
            return True
    return False


def reset(request: web.BaseRequest, played: Played) -> Played:
    """Break the connection with a real RST."""
    transport = request.transport
    if transport is not None:
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        transport.abort()
    return _broken(played)


def close(request: web.BaseRequest, played: Played) -> Played:
    """Close the connection with a FIN once everything sent has left; no last chunk is sent."""
    if request.transport is not None:
        request.transport.close()
    return _broken(played)


def _broken(played: Played) -> Played:
    if played.response is None:
        # aiohttp wants a response from every handler; this one meets a closed transport.
        played.response = web.StreamResponse()
    played.whole = False
    return played
