"""Read a request of the gateway as it arrives at the witness, and refuse what is not for it."""

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import web
from pydantic_core import from_json

from chaos.protocol.dialect import Dialect, RawCall
from chaos.witness.wire_record import KeyOwner

MOST_REQUEST_BYTES = 64 << 20


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
        "code": "understudy_refused",
    }
    return web.json_response({"type": "error", "error": error}, status=400)


def make_request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: Any
) -> web.BaseRequest:
    """Make aiohttp's request object, with room for long prompts."""
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        asyncio.get_running_loop(),
        client_max_size=MOST_REQUEST_BYTES,
    )
