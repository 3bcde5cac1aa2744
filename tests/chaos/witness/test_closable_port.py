"""A port that can refuse connections without being given up."""

import socket

import aiohttp
import pytest
from aiohttp import web

from chaos.witness.closable_port import closable_ports


def make_server():
    """A server that says hello."""

    async def hello(_):
        return web.Response(text="hello")

    return web.Server(hello)


async def test_a_closed_one_refuses_and_an_opened_one_answers_again():
    """The same address, refused by the kernel and answered by us."""
    async with (
        closable_ports(make_server, "127.0.0.1", 1) as (port,),
        aiohttp.ClientSession() as session,
    ):
        async with session.get(port.url) as reply:
            assert await reply.text() == "hello"
        await port.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(port.url)
        await port.open()
        async with session.get(port.url) as reply:
            assert reply.status == 200


async def test_a_pooled_connection_does_not_get_through_a_closed_one():
    """Gateways keep connections open: those would answer as if nothing had happened."""
    async with (
        closable_ports(make_server, "127.0.0.1", 1) as (port,),
        aiohttp.ClientSession() as session,
    ):
        async with session.get(port.url) as reply:
            await reply.read()
        await port.close()
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(port.url)


async def test_nobody_else_gets_the_port_of_a_closed_one():
    """A stranger that listened there would be given a drill's requests."""
    async with closable_ports(make_server, "127.0.0.1", 1) as (port,):
        await port.close()
        number = int(port.url.rpartition(":")[2])
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", number))


async def test_every_one_has_a_port_of_its_own_and_gives_it_up():
    """Hops are known by their address."""
    async with closable_ports(make_server, "127.0.0.1", 3) as made:
        urls = [port.url for port in made]
        assert len(set(urls)) == 3
    for url in urls:
        with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))):
            pass
