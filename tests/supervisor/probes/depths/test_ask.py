"""One question to an engine, whatever comes of it."""

import aiohttp
from aiohttp import web

from chaos.clock import SystemClock
from chaos.process.ports import free_port
from supervisor.probes.depths.ask import Asked, Line, Trouble
from tests.fakes.server import serving
from tests.patience import PATIENCE_S


async def test_a_long_answer_is_read_to_its_end():
    """An answer that comes in many pieces is whole."""

    async def long(request):
        reply = web.StreamResponse()
        await reply.prepare(request)
        for number in range(200):
            await reply.write(f"{number:04d}".encode() * 200)
        return reply

    async with serving(long) as url, aiohttp.ClientSession() as session:
        asked = await Line(session, SystemClock(), url).get("/", within_s=PATIENCE_S)
    assert asked.ok
    assert len(asked.text) == 200 * 800
    assert asked.text.endswith("0199")


async def test_a_redirect_is_not_followed():
    """An engine that points elsewhere is told so, and nobody else gets its key."""

    async def elsewhere(_):
        raise web.HTTPFound("http://127.0.0.1:1/")

    async with serving(elsewhere) as url, aiohttp.ClientSession() as session:
        assert (
            await Line(session, SystemClock(), url, "k").get("/", within_s=PATIENCE_S)
        ).status == 302


async def test_nobody_is_told_from_nonsense():
    """A refused connection and an address that is none are told apart."""
    async with aiohttp.ClientSession() as session:
        line = Line(session, SystemClock(), f"http://127.0.0.1:{free_port()}")
        assert (await line.get("/", within_s=PATIENCE_S)).trouble is Trouble.REFUSED
        line = Line(session, SystemClock(), "http://")
        assert (await line.get("/", within_s=PATIENCE_S)).trouble is Trouble.BROKEN


async def test_a_name_without_an_address_is_not_taken_for_a_stopped_engine():
    """A host that only the gateway knows says nothing about the engine."""
    async with aiohttp.ClientSession() as session:
        line = Line(session, SystemClock(), "http://gpu.invalid:8000")
        assert (await line.get("/", within_s=PATIENCE_S)).trouble is Trouble.NAMELESS


async def test_a_server_that_speaks_no_tls_is_there():
    """Where TLS fails somebody listens: that is not what a stopped engine looks like."""

    async def well(_):
        return web.Response()

    async with serving(well) as url, aiohttp.ClientSession() as session:
        line = Line(session, SystemClock(), url.replace("http:", "https:"))
        assert (await line.get("/", within_s=PATIENCE_S)).trouble is Trouble.BROKEN


async def test_each_question_has_a_connection_of_its_own():
    """Else a balancer that deals out connections would show one engine of two."""
    came = []

    async def well(request):
        came.append(request.transport.get_extra_info("peername"))
        return web.Response()

    async with serving(well) as url, aiohttp.ClientSession() as session:
        line = Line(session, SystemClock(), url)
        for _ in range(3):
            await line.get("/", within_s=PATIENCE_S)
    assert len({*came}) == 3


def test_what_came_is_told_in_few_words():
    """A page of HTML and broken JSON are named; a good answer is its status."""
    assert Asked(200, "  <html>").told == "status 200, a page of HTML"
    assert Asked(200, '{"a": ').told == "status 200, broken JSON"
    assert Asked(200, "{}").told == "status 200"
    assert Asked(None, problem="no answer within 3 s").told == "no answer within 3 s"
