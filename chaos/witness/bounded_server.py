"""An HTTP server that strangers cannot tire out: bounded in connections, bytes and time.

A flood makes place for itself: beyond a bound the connection is closed that has waited longest,
those that have never carried a request of ours first, so that the gateway's own are not shut out.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler, _ErrInfo

MOST_CONNECTIONS = 256
"""LiteLLM opens as many as it has attempts under way, a handful for each lane."""

IDLE_S = 75.0
"""For a connection without a whole request: headers that never end, or a pool that rests."""

MOST_HEADER_BYTES = 16 << 10
"""Of one header: gateways forward those of their clients."""

MOST_HEAD_BYTES = 64 << 10
"""Of a request line and all its headers, while they are incomplete."""

RECEIVE_BYTES = 64 << 10
"""What the kernel takes of a connection ahead of us; by itself it takes megabytes."""

MOST_UNPROVEN = 16
"""Bodies that are read at a time of senders who have shown no key."""

NOT_HTTP = "What came is not HTTP, or too long a header."

Handler = Callable[[web.BaseRequest, "BoundedServer"], Awaitable[web.StreamResponse]]


class _Connection(RequestHandler):
    """One connection; its head has a bound as a whole, too."""

    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take what came; close the connection where no request comes of it."""
        super().data_received(data)
        if self._messages and isinstance(self._messages[-1][0], _ErrInfo):
            # aiohttp's own error holds all that came, and would send it back.
            plain = HttpProcessingError(code=400, message=NOT_HTTP)
            error = _ErrInfo(status=400, exc=plain, message=NOT_HTTP)
            self._messages[-1] = (error, self._messages[-1][1])
        waits = self._waiter is not None and not self._waiter.done()
        self._head_bytes = self._head_bytes + len(data) if waits else 0
        if self._head_bytes > MOST_HEAD_BYTES:
            self.force_close()

    def log_exception(self, *args: Any, exc_info: Any = None, **kw: Any) -> None:
        """Log a fault of ours; a stranger who speaks no HTTP must not fill the log."""
        if not isinstance(exc_info, HttpProcessingError):
            super().log_exception(*args, exc_info=exc_info, **kw)


class BoundedServer(web.Server):
    """Answers by *handler*, which is handed the server too; closes what is too much.

    Args:
        cancels: A handler ends when its caller has left.
        lingering_s: How long a body that nobody wants is taken and thrown away, so that its
            sender gets to read the refusal.
    """

    def __init__(
        self,
        handler: Handler,
        request_factory: Any,
        *,
        cancels: bool = True,
        lingering_s: float = 0,
    ) -> None:
        super().__init__(
            cast(Any, lambda request: handler(request, self)),
            request_factory=request_factory,
            handler_cancellation=cancels,
            access_log=None,
            # A body is read as it came, or not at all: a kilobyte of gzip can be a gigabyte.
            auto_decompress=False,
            lingering_time=lingering_s,
            keepalive_timeout=IDLE_S,
            max_field_size=MOST_HEADER_BYTES,
            max_line_size=MOST_HEADER_BYTES,
        )
        self._strange: dict[RequestHandler, asyncio.Transport] = {}
        self._known: dict[RequestHandler, asyncio.Transport] = {}
        self._busy: dict[RequestHandler, asyncio.Transport] = {}
        self._unproven: dict[RequestHandler, None] = {}

    def __call__(self) -> RequestHandler:
        """Make the protocol of one connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)

    @property
    def open_connections(self) -> int:
        """Count the connections that are held."""
        return len(self._strange) + len(self._known) + len(self._busy)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection, and close the one that has rested longest where there are too many."""
        super().connection_made(handler, transport)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES
        )
        self._strange[handler] = transport
        while self.open_connections > MOST_CONNECTIONS:
            resting = self._strange or self._known
            if not resting:
                break
            resting.pop(next(iter(resting))).abort()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection."""
        for held in (self._strange, self._known, self._busy):
            held.pop(handler, None)
        super().connection_lost(handler, exc)

    def keep(self, request: web.BaseRequest) -> None:
        """Do not close the connection of *request* for others: a drill's attempt is on it."""
        handler = request.protocol
        transport = self._strange.pop(handler, None) or self._known.pop(handler, None)
        if transport is not None:
            self._busy[handler] = transport

    def let_go(self, request: web.BaseRequest) -> None:
        """The attempt has been answered: its connection rests, and is closed after strange ones."""
        transport = self._busy.pop(request.protocol, None)
        if transport is not None:
            self._known[request.protocol] = transport

    @contextmanager
    def reading_unproven(self, request: web.BaseRequest) -> Iterator[None]:
        """Read a body that may be anybody's; the one that takes longest makes place for others."""
        self._unproven[request.protocol] = None
        if len(self._unproven) > MOST_UNPROVEN:
            oldest = next(iter(self._unproven))
            del self._unproven[oldest]
            if oldest.transport is not None:
                oldest.transport.abort()
        try:
            yield
        finally:
            self._unproven.pop(request.protocol, None)
