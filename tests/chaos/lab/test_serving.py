"""Serving is over when its block is."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from chaos.lab.serving import serving


async def test_it_answers_at_the_url_that_it_yields():
    """The URL works as soon as it is known."""
    app = web.Application()
    app.router.add_get("/", _here)
    async with serving(app) as url, aiohttp.ClientSession() as session, session.get(url) as reply:
        assert await reply.text() == "here"


async def test_nothing_listens_afterwards():
    """Leaving the block frees the port."""
    async with serving(web.Application()) as url:
        pass
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(url.host, url.port)


async def test_a_caller_who_leaves_cancels_the_handler():
    """A handler that would wait for ever ends when nobody listens to it any more."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", wait)
    async with serving(app) as url:
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await begun.wait()
        writer.close()
        await ended.wait()


async def _here(_: web.Request) -> web.Response:
    return web.Response(text="here")
