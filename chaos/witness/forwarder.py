"""Pass one request through to the real upstream, both ways without buffering the reply.

Faithful in both directions: headers are kept but for the hop-by-hop ones, an upstream that
breaks off breaks off here too.
"""

import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from chaos.http_client import open_session, proxy_for, redirects, where_to
from chaos.witness.content_coding import readable
from chaos.witness.redaction import without_userinfo
from chaos.witness.script_player import Played, reset

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of one connection only. Source: RFC 9110, section 7.6.1."""

_NEVER_ARRIVED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    ValueError,  # an address that is none
)
_FAILED = (aiohttp.ClientError, TimeoutError, OSError, *_NEVER_ARRIVED)
"""How an upstream fails, as its client tells it."""

AT_ONCE_BYTES = 64 << 10
"""Replies of a known length up to this are read whole: one write instead of many."""


class Forwarder:
    """Clients towards real upstreams; local ones never go through a proxy.

    ``HTTPS_PROXY``, ``NO_PROXY`` and ``SSL_CERT_FILE`` are honoured towards providers.

    Args:
        keys: What local engines ask for, by ``host:port``; put in the place of a drill's key.
    """

    def __init__(self, *, connect_s: float = 10.0, keys: Mapping[str, str] | None = None) -> None:
        # Not a copy: a witness outlives the settings that it began with.
        self._keys: Mapping[str, str] = {} if keys is None else keys
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        self._session = open_session(
            auto_decompress=False,
            timeout=timeout,
            # Made here and now: aiohttp's own was made when it was imported, and would not
            # know a private authority that SSL_CERT_FILE names since.
            connector=aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context()),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=64 << 10,
            max_field_size=64 << 10,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def forward(
        self, request: web.BaseRequest, url: str, body: bytes, played: Played, *, local: bool
    ) -> str | None:
        """Pass *request* to *url* and its reply back.

        Returns:
            What went wrong with the upstream itself, in words; None if it answered whole,
            with whatever status.
        """
        headers = _asked(request.headers)
        played.reached = True
        try:
            key = self._keys.get(urlsplit(url).netloc) if local else None
            if key is not None:
                headers["authorization"] = f"Bearer {key}"
            upstream = await self._session.request(
                request.method,
                URL(url, encoded=True),
                data=body or None,
                headers=headers,
                allow_redirects=False,
                proxy=None if local else proxy_for(url),
            )
        except _FAILED as error:
            played.reached = not isinstance(error, _NEVER_ARRIVED)
            reset(request, played)
            return _told("no connection to the upstream", error)
        async with upstream:
            return await self._reply(request, upstream, played)

    async def _reply(
        self, request: web.BaseRequest, upstream: aiohttp.ClientResponse, played: Played
    ) -> str | None:
        headers = _kept(upstream.headers)
        location = headers.popall("location", [""])[0]
        elsewhere = where_to(location) if redirects(upstream.status) else None
        played.coding = upstream.headers.get("content-encoding", "")
        if upstream.content_length is not None and upstream.content_length <= AT_ONCE_BYTES:
            trouble = await self._at_once(request, upstream, headers, played)
            return trouble or _redirected(upstream.status, elsewhere)
        played.response = web.StreamResponse(status=upstream.status, headers=headers)
        await played.response.prepare(request)
        played.status = upstream.status
        played.first_byte_at_s = time.monotonic()
        pieces = upstream.content.iter_any()
        while True:
            # Only the upstream's failures are caught: who cannot be written to is the gateway.
            try:
                data = await anext(pieces, None)
            except _FAILED as error:
                reset(request, played)
                return _told("the upstream broke off", error)
            if data is None:
                break
            await played.response.write(data)
            played.note(data)
        await played.response.write_eof()
        played.whole = True
        return _redirected(upstream.status, elsewhere)

    @staticmethod
    async def _at_once(
        request: web.BaseRequest,
        upstream: aiohttp.ClientResponse,
        headers: CIMultiDict[str],
        played: Played,
    ) -> str | None:
        try:
            body = await upstream.read()
        except _FAILED as error:
            reset(request, played)
            return _told("the upstream broke off", error)
        headers.popall("content-length", None)
        played.status = upstream.status
        played.first_byte_at_s = time.monotonic()
        played.note(body)
        played.response = web.Response(status=upstream.status, headers=headers, body=body)
        played.whole = True
        return None


def _redirected(status: int, elsewhere: str | None) -> str | None:
    """Say that an upstream sends its callers elsewhere, with the key that they carry.

    Where to is kept from the gateway: its client would follow, past the witness.
    """
    if elsewhere is None:
        return None
    return f"status {status}, a redirect to {elsewhere}, which is not followed"


def _told(what: str, error: Exception) -> str:
    return without_userinfo(f"{what}: {error}" if str(error) else what)


def _asked(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Copy the headers of a request for a connection of our own, and a reply that can be read."""
    asked = _kept(headers)
    asked.popall("host", None)
    if "accept-encoding" in asked:
        asked["accept-encoding"] = readable(asked["accept-encoding"])
    return asked


def _kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Copy *headers* without those that are for one connection only."""
    named = headers.get("connection", "").lower().split(",")
    dropped = HOP_BY_HOP.union(name.strip() for name in named)
    return CIMultiDict(item for item in headers.items() if item[0].lower() not in dropped)
