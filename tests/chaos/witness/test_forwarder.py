"""Passing a request on: faithful both ways."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import aiohttp
import pytest
import trustme
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from chaos.witness.forwarder import AT_ONCE_BYTES, Forwarder, _asked
from chaos.witness.script_player import Played
from tests.fakes.server import serving
from tests.patience import PATIENCE_S


class Through:
    """A server that passes everything on to *url*."""

    def __init__(self, url, *, local=True):
        self.url = url
        self.local = local
        self.played = Played()
        self.trouble = None
        self.forwarder = Forwarder(connect_s=PATIENCE_S)

    async def __call__(self, request):
        body = await request.read()
        self.trouble = await self.forwarder.forward(
            request, f"{self.url}{request.path_qs}", body, self.played, local=self.local
        )
        return self.played.response or web.StreamResponse()


async def through(upstream, **request):
    """Send one request through a forwarder to *upstream*."""
    async with serving(upstream) as url:
        passing = Through(url)
        try:
            async with serving(passing) as front, aiohttp.ClientSession() as session:
                method = request.pop("method", "POST")
                async with session.request(method, f"{front}/x?y=1", **request) as reply:
                    return passing, reply, await reply.read()
        finally:
            await passing.forwarder.close()


async def test_an_engine_gets_its_own_key_and_nobody_else_does():
    """A drill carries a canary; an engine that wants a key would turn every drill away."""
    seen = []

    async def engine(request):
        seen.append(request.headers.getall("authorization", []))
        return web.Response()

    async with serving(engine) as own, serving(engine) as other:
        for url in (own, other):
            passing = Through(url)
            await passing.forwarder.close()
            passing.forwarder = Forwarder(keys={URL(own).authority: "engine-key"})
            try:
                async with serving(passing) as front, aiohttp.ClientSession() as session:
                    headers = {"Authorization": "Bearer canary"}
                    async with session.post(front, headers=headers) as reply:
                        await reply.read()
            finally:
                await passing.forwarder.close()
    assert seen == [["Bearer engine-key"], ["Bearer canary"]]


def test_headers_of_one_connection_are_not_passed_on():
    """Neither the fixed ones, nor those that the Connection header names, nor the old host."""
    kept = _asked(
        CIMultiDict(
            {
                "Connection": "close, X-Mine",
                "X-Mine": "1",
                "Host": "witness",
                "TE": "trailers",
                "X-Api-Key": "k",
            }
        )
    )
    assert dict(kept) == {"X-Api-Key": "k"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_any_method_and_query_arrive(method):
    """A gateway also lists and deletes."""
    seen = []

    async def upstream(request):
        seen.append((request.method, request.path_qs))
        return web.Response(text="ok")

    _, reply, body = await through(upstream, method=method)
    assert (seen, reply.status, body) == ([(method, "/x?y=1")], 200, b"ok")


async def test_a_compressed_reply_stays_compressed():
    """What the upstream packed, the gateway unpacks; we look at a copy."""

    async def upstream(request):
        reply = web.Response(text="hello " * 100)
        reply.enable_compression(web.ContentCoding.gzip)
        return reply

    passing, reply, body = await through(upstream)
    assert reply.headers["content-encoding"] == "gzip"
    assert body == b"hello " * 100
    assert bytes(passing.played.sent[:2]) == b"\x1f\x8b"


async def test_a_large_reply_arrives_whole():
    """Beyond what is read at once, it streams."""

    async def upstream(request):
        return web.Response(body=b"x" * (AT_ONCE_BYTES * 3))

    passing, _, body = await through(upstream)
    assert len(body) == AT_ONCE_BYTES * 3
    assert passing.played.whole is True


async def test_an_error_of_the_upstream_is_passed_on_as_it_is():
    """Its status and its body are the evidence."""

    async def upstream(request):
        return web.json_response({"error": "no"}, status=422)

    passing, reply, body = await through(upstream)
    assert (reply.status, body) == (422, b'{"error": "no"}')
    assert (passing.trouble, passing.played.status) == (None, 422)


async def test_a_redirect_of_the_upstream_is_not_followed():
    """Following it could carry a key to another host."""

    async def upstream(request):
        raise web.HTTPFound("http://127.0.0.1:9/elsewhere")

    passing, reply, _ = await through(upstream, allow_redirects=False)
    assert (reply.status, "location" in reply.headers) == (302, False)
    assert passing.trouble == (
        "status 302, a redirect to http://127.0.0.1:9/elsewhere, which is not followed"
    )


@asynccontextmanager
async def over_tls(handler, authority):
    """Serve *handler* with a certificate of a private authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def hello(_):
    """Answer anything."""
    return web.Response(text="hello")


async def ask_through(passing):
    """Send one request through *passing*; the status, or None where it was broken off."""
    try:
        async with (
            serving(passing) as front,
            aiohttp.ClientSession() as session,
            session.post(f"{front}/x") as reply,
        ):
            return reply.status
    except aiohttp.ClientError:
        return None
    finally:
        await passing.forwarder.close()


async def test_a_private_authority_is_trusted_where_it_is_named(monkeypatch, tmp_path):
    """Companies sign their own certificates; SSL_CERT_FILE says whose are good."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with over_tls(hello, authority) as url:
        stranger = Through(url)
        assert await ask_through(stranger) is None
        assert "certificate" in (stranger.trouble or "")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        known = Through(url)
        assert await ask_through(known) == 200
        assert (known.trouble, known.played.whole) == (None, True)


@pytest.mark.parametrize(("local", "by_proxy"), [(True, False), (False, True)])
async def test_only_what_is_outside_goes_through_a_proxy(monkeypatch, local, by_proxy):
    """A company's proxy stands before providers; a request to the engine next door avoids it."""
    asked = []

    async def proxy(request):
        asked.append(request.raw_path)
        return web.Response(text="by proxy")

    async with serving(hello) as url, serving(proxy) as proxy_url:
        monkeypatch.setenv("HTTP_PROXY", proxy_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        passing = Through(url, local=local)
        assert await ask_through(passing) == 200
    assert bool(asked) is by_proxy
    assert bytes(passing.played.sent) == (b"by proxy" if by_proxy else b"hello")


async def garbage(reader, writer):
    """Answer as something that speaks no HTTP."""
    await reader.read(100)
    writer.write(b"\x15\x03\x01\x00\x02\x02\x46 no http\r\n\r\n")
    await writer.drain()
    writer.close()


async def closed_proxy(reader, writer):
    """Let nobody through."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def raw_server(handler):
    """Serve a handler of bare connections; yields host and port."""
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_an_upstream_that_speaks_no_http_is_a_failed_connection():
    """The gateway must not get an answer of ours that it would retry."""
    async with raw_server(garbage) as address:
        passing = Through(f"http://{address}")
        assert await ask_through(passing) is None
    assert passing.played.status is None
    assert (passing.trouble, passing.played.reached) != (None, False)


async def test_a_proxy_that_lets_nobody_through_is_a_failed_connection(monkeypatch):
    """Nothing was asked, so nothing was charged; and the proxy's password is in no text."""
    async with raw_server(closed_proxy) as address:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass-word@{address}")
        passing = Through("https://api.example.invalid", local=False)
        assert await ask_through(passing) is None
    assert passing.trouble is not None
    assert "pass-word" not in passing.trouble
    assert (passing.played.status, passing.played.reached) == (None, False)


async def test_an_address_that_is_none_is_a_failed_connection():
    """A typo in a deployment's address is found when it is dialled."""
    passing = Through("http://127.0.0.1:99999")
    assert await ask_through(passing) is None
    assert passing.trouble is not None
    assert passing.played.reached is False


async def test_only_codings_that_can_be_read_are_asked_for():
    """A reply that nobody here can unpack would be no evidence."""
    seen = []

    async def upstream(request):
        seen.append(request.headers["accept-encoding"])
        return web.Response(text="ok")

    await through(upstream, headers={"accept-encoding": "gzip, deflate, br, zstd"})
    await through(upstream, headers={"accept-encoding": "br"})
    assert seen == ["gzip, deflate", "identity"]


async def test_a_gateway_that_leaves_is_no_trouble_of_the_upstream(monkeypatch):
    """Writing to who has gone raises what an upstream's broken connection raises too."""

    async def upstream(request):
        return web.Response(body=b"x" * (AT_ONCE_BYTES * 3))

    async def gone(response, data):
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    left = []

    class Left(Through):
        """A server whose caller has gone when the reply comes."""

        async def __call__(self, request):
            with monkeypatch.context() as patch:
                patch.setattr(web.StreamResponse, "write", gone)
                try:
                    return await super().__call__(request)
                except ConnectionError:
                    left.append(self.played.status)
                    raise

    async with serving(upstream) as url:
        passing = Left(url)
        await ask_through(passing)
    assert (left, passing.trouble) == ([200], None)
