"""An HTTP server that strangers cannot tire out: bounded in connections, header size and time.

A flood makes place for itself: beyond the bound the connection that has waited longest without
being answered as a drill's is closed, so that the gateway's own are not shut out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

MOST_CONNECTIONS = 256
"""LiteLLM opens as many as it has attempts under way, a handful for each lane."""

IDLE_S = 75.0
"""For a connection without a whole request: headers that never end, or a pool that rests."""

MOST_HEADER_BYTES = 16 << 10
"""Of one header: gateways forward those of their clients."""

Handler = Callable[[web.BaseRequest, "BoundedServer"], Awaitable[web.StreamResponse]]


class BoundedServer(web.Server):
    """Answers by *handler*, which is handed the server too; closes what is too much."""

    def __init__(self, handler: Handler, request_factory: Any) -> None:
        super().__init__(
            cast(Any, lambda request: handler(request, self)),
            request_factory=request_factory,
            handler_cancellation=True,
            access_log=None,
            # A body is read as it came, or not at all: a kilobyte of gzip can be a gigabyte.
            auto_decompress=False,
            lingering_time=0,
            keepalive_timeout=IDLE_S,
            max_field_size=MOST_HEADER_BYTES,
            max_line_size=MOST_HEADER_BYTES,
        )
        self._idle: dict[RequestHandler, asyncio.Transport] = {}
        self._busy: dict[RequestHandler, asyncio.Transport] = {}

    @property
    def open_connections(self) -> int:
        """Count the connections that are held."""
        return len(self._idle) + len(self._busy)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection, and close the one that has rested longest where there are too many."""
        super().connection_made(handler, transport)
        self._idle[handler] = transport
        while self._idle and self.open_connections > MOST_CONNECTIONS:
            oldest = next(iter(self._idle))
            self._idle.pop(oldest).abort()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection."""
        self._idle.pop(handler, None)
        self._busy.pop(handler, None)
        super().connection_lost(handler, exc)

    def keep(self, request: web.BaseRequest) -> None:
        """Do not close the connection of *request* for others: a drill's attempt is on it."""
        transport = self._idle.pop(request.protocol, None)
        if transport is not None:
            self._busy[request.protocol] = transport

    def let_go(self, request: web.BaseRequest) -> None:
        """The attempt has been answered: its connection is one like the others again."""
        transport = self._busy.pop(request.protocol, None)
        if transport is not None:
            self._idle[request.protocol] = transport
