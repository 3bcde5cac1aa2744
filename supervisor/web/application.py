"""The whole of the API as one aiohttp application, and where it listens."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from chaos.errors import UsageError
from chaos.witness.bounded_server import BoundedServer
from supervisor.web.access import Access
from supervisor.web.description import describe
from supervisor.web.endpoint import DESK, Desk, Door, Endpoint
from supervisor.web.endpoints import ENDPOINTS
from supervisor.web.problem import explained
from supervisor.web.world import World

LONGEST_BODY_BYTES = 256 * 1024
"""A client profile with many tools is the longest that anybody sends."""

SHUTDOWN_S = 1.0

UNWANTED_BODY_S = 2.0
"""For a client that sends a body that is refused, so that it gets to read why."""

SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def application(
    world: World, *, access: Access, version: str, ping_s: float = 15.0, badges: bool = False
) -> web.Application:
    """Make the application; it keeps nothing, and asks *world* each time."""
    app = web.Application(middlewares=[explained], client_max_size=LONGEST_BODY_BYTES)
    app[DESK] = Desk(world, access, ping_s, badges)
    for endpoint in (*ENDPOINTS, _description_of(ENDPOINTS, version)):
        app.router.add_route(endpoint.method, endpoint.path, partial(_let_in, endpoint))
        # As GET, without the body; a stream of events has no end.
        if endpoint.method == "GET" and endpoint.media_type != "text/event-stream":
            app.router.add_route("HEAD", endpoint.path, partial(_let_in, endpoint))
    app.on_response_prepare.append(_with_safe_headers)
    app.on_shutdown.append(_let_listeners_go)
    return app


async def _let_in(endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    access = request.app[DESK].access
    if endpoint.door is Door.READ:
        access.check_read(request)
    elif endpoint.door is Door.CHANGE:
        access.check_change(request)
    return await endpoint.handle(request)


async def _with_safe_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)


async def _let_listeners_go(app: web.Application) -> None:
    # aiohttp waits for handlers at shutdown, and those of events would never end.
    app[DESK].world.events.close()


def _description_of(endpoints: Sequence[Endpoint], version: str) -> Endpoint:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=text, content_type="application/json")

    own = Endpoint("GET", "/api/v1/openapi.json", "This description.", handle)
    text = json.dumps(describe((*endpoints, own), version)).encode()
    return own


class _BoundedRunner(web.AppRunner):
    """Runs an application on a server that strangers cannot tire out."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()

        async def handle(request: web.BaseRequest, server: BoundedServer) -> web.StreamResponse:
            # Whoever has no token, or a body that may never come, makes place for others: the one
            # that has been there longest first. Streams of events come back by themselves.
            if self.app[DESK].access.has_token(request) and request.content.is_eof():
                server.keep(request)
            try:
                return await made.request_handler(request)
            finally:
                server.let_go(request)

        return BoundedServer(
            handle, made.request_factory, cancels=False, lingering_s=UNWANTED_BODY_S
        )


@asynccontextmanager
async def listening(app: web.Application, addresses: Sequence[str]) -> AsyncIterator[list[str]]:
    """Serve *app* on *addresses* until exit; yields where it is found once it accepts.

    Raises:
        UsageError: An address cannot be listened on.
    """
    runner = _BoundedRunner(app, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        for address in addresses:
            host, _, port = address.rpartition(":")
            try:
                await web.TCPSite(runner, host.strip("[]"), int(port)).start()
            except OSError as error:
                raise UsageError(
                    f"the API cannot listen on {address}: {error.strerror}",
                    remedy="Free the port, or name another address with web.listen.",
                ) from error
        yield [f"http://{_joined(host)}:{port}" for host, port, *_ in runner.addresses]
    finally:
        await runner.cleanup()


def _joined(host: str) -> str:
    return f"[{host}]" if ":" in host else host
