"""Asking an engine over HTTP: what is read is whole, or nothing."""

import aiohttp
from aiohttp import web

from supervisor.engine import http
from supervisor.engine.http import get_metrics
from supervisor.engine.metrics import read_vitals
from tests.fakes.server import serving

METRICS = 'vllm:num_requests_waiting{engine="0",model_name="gemma"} 2.0\n'


async def asked(handle, path=""):
    """Ask a server that answers by *handle*."""
    async with serving(handle) as url, aiohttp.ClientSession() as session:
        return await get_metrics(session, url + path)


async def test_metrics_are_read_from_the_root_of_the_engine():
    """The base URL of a deployment ends in /v1; the metrics do not live there."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=METRICS if request.path == "/metrics" else "", status=200)

    assert await asked(handle, "/v1") == METRICS


async def test_a_page_that_comes_in_pieces_is_read_to_its_end():
    """The queue may stand far below the histograms; a busy engine must not look idle."""
    histogram = 'vllm:time_to_first_token_seconds_bucket{le="1"} 1.0\n' * 4000

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for piece in (histogram, histogram, METRICS):
            await reply.write(piece.encode())
        return reply

    page = await asked(handle)
    assert page is not None
    assert read_vitals(page).busy is True


async def test_a_page_too_large_to_be_read_whole_is_none(monkeypatch):
    """Half of the counters could say that nobody waits."""
    monkeypatch.setattr(http, "MOST_BYTES", len(METRICS) - 1)

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=METRICS)

    assert await asked(handle) is None


async def test_an_engine_without_metrics_is_no_error():
    """Ollama and others publish none; drills go on without."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=404, text=METRICS)

    assert await asked(handle) is None


async def test_an_engine_that_redirects_is_not_followed():
    """What another host says is not the engine's word."""

    async def handle(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    assert await asked(handle) is None


async def test_nobody_there_is_none():
    """Nor is an address that no URL can be."""
    async with aiohttp.ClientSession() as session:
        assert await get_metrics(session, "http://127.0.0.1:9") is None
        assert await get_metrics(session, "http://[::1") is None
