"""A gateway that is read and drilled over HTTP, and that a test makes hang, lie, or go away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
from aiohttp import web

from tests.fakes.gateway import FakeGateway

Mood = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""How a request is answered; None for as it should be."""

CHAINS = {"paid": ["paid", "backup"], "backup": ["backup"]}


async def well(_: web.Request) -> None:
    """Answer as it should be."""


@dataclass
class Hold:
    """Keeps requests back before they go on to one hop.

    Attributes:
        hop: Which.
        asked: One has come.
        go: They may go on.
    """

    hop: str
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


class HostileGateway(FakeGateway):
    """Honest until its mood changes; it comes back at the port that it had.

    Attributes:
        mood: Asked first at each request.
        hold: What keeps requests back.
        copies: How often each group is listed, under names of their own.
        port: Where it listens, or did.
        url: Its base URL.
    """

    def __init__(self, permission: str) -> None:
        super().__init__(CHAINS)
        self.mood: Mood = well
        self.hold: Hold | None = None
        self.copies = 1
        self.port = 0
        self.url = ""
        self._permission = [{"api_base": permission}]
        self._runner: web.ServerRunner | None = None

    @asynccontextmanager
    async def upstream(self) -> AsyncIterator[None]:
        """Hold the client with which it asks its hops."""
        async with aiohttp.ClientSession() as self._session:
            yield

    async def start(self) -> None:
        """Listen, at the same port as before."""
        server = web.Server(cast(Any, self._handle), handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]
        self.url = self.url or f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Go away at once, as a process that is killed: whoever waits for an answer gets none."""
        if self._runner is not None:
            assert self._runner.server is not None
            for connection in self._runner.server.connections:
                if connection.transport is not None:
                    connection.transport.abort()
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        reply = await self.mood(request)
        if reply is not None:
            return reply
        answers = self.answers()
        if request.method != "GET":
            model = (await request.json()).get("model")
            if model not in self.chains:
                return self._error(400, f"Invalid model name passed in model={model}")
            return await super()._handle(request)
        if request.path not in answers:
            return web.json_response({"detail": "Not Found"}, status=404)
        return web.json_response(answers[request.path])

    async def _one(self, request, url, body, key) -> web.StreamResponse | None:
        hold = self.hold
        if hold is not None and hold.hop == body["model"]:
            hold.asked.set()
            await hold.go.wait()
        return await super()._one(request, url, body, key)

    def answers(self) -> dict[str, Any]:
        """Tell what LiteLLM tells of itself; only what is read of it.

        Source: LiteLLM 1.106.2, run.
        """
        copies = range(1, self.copies)
        self.chains = {
            **CHAINS,
            **{
                f"{name}-{copy}": [f"{hop}-{copy}" for hop in hops]
                for copy in copies
                for name, hops in CHAINS.items()
            },
        }
        rows = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "configurable_clientside_auth_params": self._permission,
                },
                "model_info": {"id": f"{name}-id", "mode": "chat"},
            }
            for name in self.chains
        ]
        fallbacks = [{name: hops[1:]} for name, hops in self.chains.items() if hops[1:]]
        router = {"num_retries": 0, "fallbacks": fallbacks}
        return {
            "/model/info": {"data": rows},
            "/get/config/callbacks": {"router_settings": router},
            "/router/settings": {"current_values": router},
            "/health/readiness": {"status": "healthy"},
            "/health/readiness/details": {"litellm_version": "1.106.2"},
            "/v1/models": {"data": [{"id": name} for name in self.chains]},
        }


async def hangs(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError
