"""Read a request of the gateway as it arrives at the witness, and refuse what is not for it."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from pydantic_core import from_json

from chaos.protocol.dialect import Dialect, RawCall
from chaos.witness.wire_record import KeyOwner

MOST_REQUEST_BYTES = 8 << 20
"""Of a body: a drill's longest prompt has a few hundred kilobytes, a client profile's has more."""

MOST_UNKEYED_BYTES = 1 << 20
"""Of a body whose sender has shown no key: no long context goes to hops that need a real one."""

BODY_WITHIN_S = 30.0
"""For a body to come whole."""

CODE = "understudy_refused"
"""By which a refusal of the witness is known."""


class BodyError(Exception):
    """A body that is too long, too slow, or packed; refuse it."""


def carries(request: web.BaseRequest, token: str) -> bool:
    """Tell whether *token* is in the request line or a header, where credentials are."""
    if token in request.rel_url.raw_query_string:
        return True
    return any(token in value for value in request.headers.values())


async def read_body(request: web.BaseRequest, most_bytes: int = MOST_REQUEST_BYTES) -> bytes:
    """Read the body, within its bounds.

    Raises:
        BodyError: It is out of bounds; the message says how.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise BodyError("its body is packed, and no gateway packs what it asks")
    if (request.content_length or 0) > most_bytes:
        raise BodyError(f"its body has {request.content_length} bytes")
    pieces, total = [], 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for piece in request.content.iter_any():
                pieces.append(piece)
                total += len(piece)
                if total > most_bytes:
                    raise BodyError(f"its body has more than {most_bytes} bytes")
    except TimeoutError:
        raise BodyError(f"its body did not come within {BODY_WITHIN_S:g} s") from None
    return b"".join(pieces)


def words_of(value: Any) -> Iterator[str]:
    """Yield every text in parsed JSON, keys left out."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def raw_call(request: web.BaseRequest, path: str, body: bytes) -> RawCall:
    """Take *request* apart; *path* is what follows the lane or the twin's address."""
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


def key_owner(raw: RawCall, dialect: Dialect, canary: str | None) -> KeyOwner:
    """Tell whose credential came, without keeping it."""
    names = {*dialect.key_headers, "authorization"}
    keys = [raw.headers[name] for name in names if name in raw.headers]
    if not keys:
        return KeyOwner.NONE
    ours = [canary is not None and canary in key for key in keys]
    if all(ours):
        return KeyOwner.CANARY
    return KeyOwner.MIXED if any(ours) else KeyOwner.OTHER


def refusal(why: str) -> web.Response:
    """Refuse with a status that no gateway retries, in an envelope that every dialect shows."""
    error = {
        "message": f"Understudy's witness refuses: {why}.",
        "type": "invalid_request_error",
        "code": CODE,
    }
    reply = web.json_response({"type": "error", "error": error}, status=400)
    # What was not read of a body would be taken for the next request.
    reply.force_close()
    return reply


def make_request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    """Make aiohttp's request object, with the bound of a body."""
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        asyncio.get_running_loop(),
        client_max_size=MOST_REQUEST_BYTES,
    )
