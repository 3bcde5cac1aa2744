"""A server that strangers cannot tire out."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from chaos.witness import bounded_server
from chaos.witness.bounded_server import BoundedServer
from chaos.witness.request import make_request


@asynccontextmanager
async def serving(handler):
    """Serve until exit; yields the server and its port."""
    server = BoundedServer(handler, make_request)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield server, runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def answer(request, server):
    """Answer at once."""
    return web.Response(text="here")


async def test_connections_beyond_the_bound_are_closed_from_the_oldest(monkeypatch):
    """The newest gets its answer, however many came before it."""
    monkeypatch.setattr(bounded_server, "MOST_CONNECTIONS", 4)
    async with serving(answer) as (server, port):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(9)]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}") as reply:
                assert await reply.text() == "here"
            assert server.open_connections <= 4
            assert await opened[0][0].read() == b""  # closed
        for _, writer in opened:
            writer.close()


async def test_a_connection_that_is_kept_is_not_closed_for_others(monkeypatch):
    """A drill's attempt may be answered slowly on purpose."""
    monkeypatch.setattr(bounded_server, "MOST_CONNECTIONS", 2)
    came, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request, server):
        server.keep(request)
        came.set()
        await go_on.wait()
        server.let_go(request)
        return web.Response(text="slow")

    async with serving(slow) as (_, port), aiohttp.ClientSession() as session:
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(session.get(f"http://127.0.0.1:{port}"))
            await came.wait()
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(9)]
            go_on.set()
        assert await asked.result().text() == "slow"
        for _, writer in opened:
            writer.close()
