"""A tap between gateway and engine: passes every byte on, and tells when an answer has begun."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

import aiohttp
from aiohttp import web

from chaos.lab.serving import serving

BEGUN = (b'"content":"', b'"reasoning":"', b'"arguments":"')


class Tap:
    """Forwards to one engine.

    Attributes:
        on_first_content: Called once, in mid-stream, when the first piece of an answer has gone
            through; then forgotten.
    """

    def __init__(self, engine_url: str) -> None:
        self.on_first_content: Callable[[], None] | None = None
        self._engine_url = engine_url
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession
        self._url = ""

    async def __aenter__(self) -> Self:
        # A connection of its own for each request: the engine dies and comes back.
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        )
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._url = str(await self._stack.enter_async_context(serving(app))).rstrip("/")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def base_url(self) -> str:
        """Where an OpenAI client points."""
        return f"{self._url}/v1"

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._pass_on(request)
        except aiohttp.ClientError:
            # As if the engine itself had broken the connection, or had never taken it.
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {"content-type": request.headers.get("content-type", "application/json")}
        async with self._session.request(
            request.method,
            self._engine_url + request.path_qs,
            data=await request.read(),
            headers=headers,
        ) as answer:
            reply = web.StreamResponse(
                status=answer.status, headers={"content-type": answer.headers["content-type"]}
            )
            await reply.prepare(request)
            async for chunk in answer.content.iter_any():
                await reply.write(chunk)
                if self.on_first_content and any(mark in chunk for mark in BEGUN):
                    then, self.on_first_content = self.on_first_content, None
                    then()
            await reply.write_eof()
            return reply
