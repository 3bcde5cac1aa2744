"""A server that strangers cannot tire out."""

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager

import aiohttp
import pytest
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


async def head_of(port, *pieces):
    """Send pieces of a request, and read until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_a_connection_that_carried_a_drill_is_closed_after_strange_ones(monkeypatch):
    """A gateway's pool outlives a flood that began after its last request."""
    monkeypatch.setattr(bounded_server, "MOST_CONNECTIONS", 4)

    async def keep(request, server):
        server.keep(request)
        server.let_go(request)
        return web.Response(text=str(request.transport.get_extra_info("peername")[1]))

    async with serving(keep) as (server, port), aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}"
        own = await (await session.get(url)).text()
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(9)]
        assert await opened[0][0].read() == b""  # closed
        assert await (await session.get(url)).text() == own
        assert server.open_connections <= 4
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize(
    "sent",
    [(b"GET / HTTP/1.1\r\n",), (b"GET / HTTP/1.1\r\nhost: x\r\na: ", b"b"), (b"",)],
    ids=["one line", "half a header", "nothing"],
)
async def test_a_head_that_does_not_come_whole_is_not_waited_for(monkeypatch, sent):
    """Neither before the first request nor after it."""
    monkeypatch.setattr(bounded_server, "IDLE_S", 0.05)
    async with serving(answer) as (server, port):
        assert await head_of(port, *sent) == b""
        whole = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
        assert (await head_of(port, whole, *sent)).endswith(b"here")
        assert server.open_connections == 0


async def test_a_head_has_a_bound_as_a_whole():
    """Each of its headers is short enough, and there are too many."""
    header = b"x-a: " + b"a" * 8000 + b"\r\n"
    async with serving(answer) as (_, port):
        few, many = [header] * 4, [header] * 100
        end = b"connection: close\r\n\r\n"
        head = b"GET / HTTP/1.1\r\nhost: x\r\n"
        assert b"here" in await head_of(port, head, *few, end)
        assert b"here" not in await head_of(port, head, *many, end)


async def test_what_is_not_http_is_neither_repeated_nor_logged(caplog):
    """A stranger cannot fill the log, nor have terminal codes shown to who reads it."""
    caplog.set_level(logging.DEBUG)
    async with serving(answer) as (_, port):
        said = await head_of(port, b"\x1b[2Jstranger\r\n\r\n")
    assert said.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"stranger" not in said
    assert "stranger" not in caplog.text
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


async def test_a_fault_of_the_handler_is_logged(caplog):
    """What is ours must not be hidden with what strangers do."""

    async def broken(request, server):
        raise RuntimeError("ours")

    async with serving(broken) as (_, port):
        request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        assert b" 500 " in await head_of(port, request)
    assert "RuntimeError: ours" in caplog.text


async def test_of_unproven_bodies_the_slowest_is_closed(monkeypatch):
    """Only so many are read at a time, and the newest is always among them."""
    monkeypatch.setattr(bounded_server, "MOST_UNPROVEN", 2)

    async def read(request, server):
        with server.reading_unproven(request):
            return web.Response(body=await request.read())

    async with serving(read) as (_, port), aiohttp.ClientSession() as session:
        opened = []
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf")
            opened.append((reader, writer))
        async with session.post(f"http://127.0.0.1:{port}", data=b"whole") as reply:
            assert await reply.read() == b"whole"
        for reader, _ in opened[:4]:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        for _, writer in opened:
            writer.close()
