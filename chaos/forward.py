"""Pass one request through to the real upstream, both ways without buffering the reply.

Faithful in both directions: headers are kept but for the hop-by-hop ones, an upstream that
breaks off breaks off here too.
"""

import asyncio
import ssl
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from chaos.player import Played, reset

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

_NOT_FORWARDED = HOP_BY_HOP | {"host"}

AT_ONCE_BYTES = 64 << 10
"""Replies of a known length up to this are read whole: one write instead of many."""


class Forwarder:
    """Clients towards real upstreams; local ones never go through a proxy.

    ``HTTPS_PROXY``, ``NO_PROXY`` and ``SSL_CERT_FILE`` are honoured towards providers.
    """

    def __init__(self, *, connect_s: float = 10.0) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        self._direct = self._session(timeout, trust_env=False)
        self._outward = self._session(timeout, trust_env=True)

    @staticmethod
    def _session(timeout: aiohttp.ClientTimeout, *, trust_env: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            auto_decompress=False,
            timeout=timeout,
            trust_env=trust_env,
            # Made here and now: aiohttp's own was made when it was imported, and would not
            # know a private authority that SSL_CERT_FILE names since.
            connector=aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context()),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=64 << 10,
            max_field_size=64 << 10,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._direct.close()
        await self._outward.close()

    async def forward(
        self, request: web.BaseRequest, url: str, body: bytes, played: Played, *, local: bool
    ) -> str | None:
        """Pass *request* to *url* and its reply back.

        Returns:
            What went wrong with the upstream itself, in words; None if it answered whole,
            with whatever status.
        """
        session = self._direct if local else self._outward
        try:
            async with session.request(
                request.method,
                URL(url, encoded=True),
                data=body or None,
                headers=_forwarded(request.headers),
                allow_redirects=False,
            ) as upstream:
                return await self._reply(request, upstream, played)
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            reset(request, played)
            return f"no connection to the upstream: {error}" if str(error) else "no connection"

    async def _reply(
        self, request: web.BaseRequest, upstream: aiohttp.ClientResponse, played: Played
    ) -> str | None:
        loop = asyncio.get_running_loop()
        headers = _forwarded(upstream.headers)
        length = upstream.content_length
        if length is not None and length <= AT_ONCE_BYTES:
            try:
                body = await upstream.read()
            except aiohttp.ClientPayloadError as error:
                reset(request, played)
                return f"the upstream broke off: {error}"
            headers.popall("content-length", None)
            played.status = upstream.status
            played.first_byte_at_s = loop.time()
            played.note(body)
            played.response = web.Response(status=upstream.status, headers=headers, body=body)
            played.whole = True
            return None
        played.response = web.StreamResponse(status=upstream.status, headers=headers)
        await played.response.prepare(request)
        played.status = upstream.status
        played.first_byte_at_s = loop.time()
        try:
            async for data in upstream.content.iter_any():
                await played.response.write(data)
                played.note(data)
        except aiohttp.ClientPayloadError as error:
            reset(request, played)
            return f"the upstream broke off: {error}"
        await played.response.write_eof()
        played.whole = True
        return None


def _forwarded(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Copy *headers* without those that are for one connection only."""
    named = headers.get("connection", "").lower().split(",")
    dropped = _NOT_FORWARDED.union(name.strip() for name in named)
    return CIMultiDict(item for item in headers.items() if item[0].lower() not in dropped)
