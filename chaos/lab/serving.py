"""Serve an aiohttp application for as long as a block runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from yarl import URL

LINGER_S = 0.1
"""How long a handler may go on at the end: a hung one has nothing to finish."""


@asynccontextmanager
async def serving(
    app: web.Application, *, host: str = "127.0.0.1", port: int = 0, reuse_port: bool = False
) -> AsyncIterator[URL]:
    """Serve *app* until exit; yields its base URL once it accepts connections.

    A caller who leaves cancels the handler, so that no silence outlives its listener.

    Args:
        port: 0 takes a free one.
        reuse_port: Listen beside a socket that only keeps the port.
    """
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=LINGER_S
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=reuse_port).start()
        bound_host, bound_port = runner.addresses[0][:2]
        yield URL.build(scheme="http", host=bound_host, port=bound_port)
    finally:
        await runner.cleanup()
