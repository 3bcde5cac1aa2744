"""POST to one receiver: once, with a deadline, and a receipt whatever happens."""

import asyncio
import ipaddress
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from chaos.clock import Clock, SystemClock
from chaos.errors import UsageError
from chaos.http_client import USER_AGENT, TooLongError, proxy_for, read_within
from supervisor.alerts.http_receipt import (
    LONGEST_DETAIL_CHARS,
    origin_of,
    receipt_of,
    secrets_of,
)
from supervisor.alerts.notifier import Receipt, Result

DEADLINE_S = 10.0

_MOST_BYTES = 256 << 10
"""Of a reply; a longer one counts by its status alone."""


class Endpoint:
    """Where one receiver takes its POSTs.

    Args:
        url: With everything that is secret about it.
        token: Sent as ``Authorization: Bearer TOKEN``.
        secrets: What else no detail may hold.

    Raises:
        UsageError: No request can be made to *url*; the message does not quote it.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        token: str | None = None,
        secrets: tuple[str, ...] = (),
        clock: Clock | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._origin = origin_of(url) if url.startswith(("http://", "https://")) else ""
        if not self._origin:
            raise UsageError(
                "its URL is not an http:// or https:// URL with a host",
                remedy="Write it as https://HOST[:PORT]/PATH.",
            )
        if token and (URL(url).raw_user or URL(url).raw_password):
            raise UsageError(
                "its URL holds a user or password, and it has a token, too",
                remedy="Leave one of them: both would be sent in the same header.",
            )
        self._session = session
        self._url = url
        self._headers = {"user-agent": USER_AGENT, "content-type": "application/json"}
        # A connection that the receiver closes while it is idle would fail the next notice.
        self._headers["connection"] = "close"
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._secrets = secrets_of(url, token, *secrets)
        self._clock = clock or SystemClock()
        self._deadline_s = deadline_s

    async def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Receipt:
        """Send *body*, JSON, once; never raises."""
        try:
            async with (
                asyncio.timeout(self._deadline_s),
                self._session.post(
                    self._url,
                    data=body,
                    headers={**self._headers, **(headers or {})},
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None),
                    proxy=None if _is_loopback(self._origin) else proxy_for(self._url),
                ) as reply,
            ):
                line = await _first_line(reply)
                return receipt_of(
                    reply.status,
                    reply.headers,
                    self._clock.now(),
                    line=line,
                    secrets=self._secrets,
                )
        except TimeoutError:
            return self._unreachable(f"no complete reply within {self._deadline_s:g} s")
        except Exception as error:  # noqa: BLE001 -- a notifier never raises, whatever it meets
            return self._unreachable(_reason(error))

    def _unreachable(self, reason: str) -> Receipt:
        detail = f"{self._origin}: {reason}"
        return Receipt(Result.UNREACHABLE, detail[:LONGEST_DETAIL_CHARS])


def _is_loopback(origin: str) -> bool:
    host = URL(origin).host or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _first_line(reply: aiohttp.ClientResponse) -> str:
    """Read the whole reply, since half of one proves nothing; return its first line."""
    try:
        body = await read_within(reply, _MOST_BYTES)
    except TooLongError:
        return ""
    lines = body.decode("utf-8", "replace").split("\n")
    return next((line for line in lines if line.strip()), "")


def _reason(error: Exception) -> str:
    """Say what went wrong, by kind: texts of aiohttp's errors quote URLs."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS connection: {cause.reason or type(cause).__name__}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without a reply"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its reply broke off"
    if isinstance(cause, OSError) and cause.errno:
        return f"no connection: {os.strerror(cause.errno)}"
    return f"no reply: {type(error).__name__}"


def rfc3339(moment: datetime) -> str:
    """Write an aware time in UTC, with a Z, as Go reads and writes them."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
