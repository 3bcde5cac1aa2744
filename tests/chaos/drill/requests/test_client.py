"""The drill's client: whatever comes back is a result."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from chaos.drill.requests.client import ask
from chaos.protocol.surfaces import SURFACES
from tests.fakes.server import serving
from tests.patience import PATIENCE_S

CHAT = SURFACES["chat_completions"]


async def get(handler, *, stream=False, deadline_s=PATIENCE_S, **changes):
    """Ask *handler* once as a chat client."""
    async with serving(handler) as url, aiohttp.ClientSession() as session:
        return await ask(
            session,
            CHAT,
            url=url,
            key="sk-secret",
            body={"model": "m"},
            stream=stream,
            deadline_s=deadline_s,
            **changes,
        )


async def test_a_whole_reply_is_read_and_timed():
    """Status, text and the time it took."""

    async def handle(request):
        assert request.headers["authorization"] == "Bearer sk-secret"
        choice = {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}
        return web.json_response({"id": "1", "choices": [choice]})

    reply = await get(handle)
    assert (reply.status, reply.reading.text, reply.timed_out) == (200, "hi", False)
    assert reply.total_s is not None
    assert reply.ttft_s is not None


async def test_a_stream_is_read_as_it_comes():
    """The first token is where the first text is, not where the headers are."""

    async def handle(request):
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        await reply.write(
            b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
        )
        await reply.write(b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n')
        await reply.write(
            b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
        )
        await reply.write(b"data: [DONE]\n\n")
        return reply

    reply = await get(handle, stream=True)
    assert (reply.reading.text, reply.reading.ended) == ("hi", True)
    assert reply.ttft_s is not None


async def test_silence_ends_at_the_deadline():
    """A gateway that hangs is a result: timed out, no status, no time."""

    async def handle(request):
        await asyncio.Event().wait()
        return web.Response()

    reply = await get(handle, deadline_s=0.05)
    assert (reply.timed_out, reply.status, reply.total_s) == (True, None, None)


async def test_a_broken_connection_is_told_in_words():
    """A reset by the gateway is a result too."""

    async def handle(request):
        request.transport.abort()
        return web.Response()

    reply = await get(handle)
    assert reply.broke_off is not None
    assert reply.status is None


async def test_credentials_in_headers_are_masked():
    """A gateway that echoes a key must not get it into a report."""

    async def handle(request):
        return web.json_response({}, headers={"x-echo-key": "sk-secret", "x-litellm-version": "1"})

    reply = await get(handle)
    assert reply.headers["x-echo-key"] == "***"
    assert reply.headers["x-litellm-version"] == "1"


@pytest.mark.parametrize("stream", [False, True])
async def test_any_other_server_is_a_result(stream):
    """HTML from a proxy in between is read, with defects, not raised."""

    async def handle(request):
        return web.Response(text="<html>hello</html>", content_type="text/html")

    reply = await get(handle, stream=stream)
    assert reply.status == 200
    assert reply.reading.defects


async def test_a_redirect_is_a_result_and_never_followed():
    """A gateway that answers 307 to another origin would get our key sent there."""
    followed = []

    async def elsewhere(request):
        followed.append(request.headers.get("authorization"))
        return web.Response()

    async with serving(elsewhere) as other:

        async def handle(request):
            raise web.HTTPTemporaryRedirect(f"{other}{request.path}")

        reply = await get(handle)
    assert (reply.status, followed) == (307, [])
    assert reply.reading.error is not None or not reply.ok


async def test_a_key_of_a_hop_is_found_in_headers_bodies_and_pieces_of_a_stream():
    """Wherever it stands the client has seen it; where it does not, nothing is found."""

    async def header(request):
        return web.json_response({}, status=500, headers={"x-debug": "key=hop-key-1"})

    async def error(request):
        message = {"message": "bad key hop-key-1", "type": "x", "param": None, "code": "401"}
        return web.json_response({"error": message}, status=401)

    async def pieces(request):
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        for part in ("the hop-k", "ey-1 it is"):
            chunk = {"id": "1", "choices": [{"index": 0, "delta": {"content": part}}]}
            await reply.write(f"data: {json.dumps(chunk)}\n\n".encode())
        return reply

    keys = {"keys": lambda: {"hop-key-1"}}
    assert (await get(header, **keys)).disclosed == ("the header x-debug",)
    assert (await get(error, **keys)).disclosed == ("the body",)
    assert (await get(pieces, stream=True, **keys)).disclosed == ("the body",)
    assert (await get(error, keys=lambda: {"hop-key-2"})).disclosed == ()
