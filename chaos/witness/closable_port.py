"""A port that can stop listening without being given up: how a refused connection is made.

Two sockets share the port: one is only bound and keeps it from everybody else, the other
listens. Closed, every connection to it is refused by the kernel, as by a provider that is gone.
"""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ClosablePort:
    """One port, open or closed.

    Attributes:
        url: Its base URL; the same whether it is open or not.
    """

    def __init__(self, make_server: Callable[[], web.Server], host: str) -> None:
        self._make_server = make_server
        self._host = host
        self._keeper = _bound(host, 0)
        self._port: int = self._keeper.getsockname()[1]
        self._runner: web.ServerRunner | None = None
        self.url = f"http://{host}:{self._port}"

    async def open(self) -> None:
        """Listen; does nothing when it is open."""
        if self._runner is not None:
            return
        runner = web.ServerRunner(self._make_server(), shutdown_timeout=0.5)
        await runner.setup()
        await web.SockSite(runner, _bound(self._host, self._port)).start()
        self._runner = runner

    async def close(self) -> None:
        """Refuse connections, and end those that are open: a pooled one would still answer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def give_up(self) -> None:
        """Close it and let go of the port."""
        await self.close()
        self._keeper.close()


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((host, port))
    return made


@asynccontextmanager
async def closable_ports(
    make_server: Callable[[], web.Server], host: str, count: int
) -> AsyncIterator[tuple[ClosablePort, ...]]:
    """Hold *count* open ports until exit."""
    made: list[ClosablePort] = []
    try:
        for _ in range(count):
            port = ClosablePort(make_server, host)
            made.append(port)
            await port.open()
        yield tuple(made)
    finally:
        for port in made:
            await port.give_up()
