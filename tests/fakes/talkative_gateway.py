"""A gateway that repeats keys: to who sent them, to others, and those of its providers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from benchmarks.fast_gateway import GROUPS, FastGateway
from chaos.lab.setups import LOCAL_GROUP
from tests.fakes.server import serving

EVIL = "evil\x1b]0;owned\x07\x9b2J<script>[bold]"
"""A group with what terminals and browsers obey in its name."""

LOUD = "gpt-c"
"""The group whose replies hold the caller's key."""


class HostileGateway(FastGateway):
    """Serves drills honestly, and keeps nothing to itself.

    Attributes:
        keys: What callers have shown.
    """

    def __init__(
        self, session: aiohttp.ClientSession, engine_base: str, port: int, provider_key: str
    ) -> None:
        super().__init__(session, engine_base, port)
        self._provider_key = provider_key
        self.keys: set[str] = set()
        rows = self._answers["/model/info"]["data"]
        rows.append({**rows[0], "model_name": EVIL, "model_info": {"id": EVIL}})
        for row in rows:
            row["litellm_params"] |= {"api_key": provider_key, "extra_headers": {"x": provider_key}}
        self._answers["/health/readiness"] = {"status": "healthy", "key": provider_key}
        self._answers["/v1/models"] = {"data": [{"id": name} for name in (*GROUPS, LOCAL_GROUP)]}
        self._answers["/get/config/callbacks"]["environment_variables"] = {"KEY": provider_key}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.keys.add(key)
        error: dict[str, Any] = {"type": "error", "code": "500", "param": key}
        error["message"] = f"Incorrect API key {self._provider_key} of {key}\x1b[2J<script>"
        if request.method == "GET":
            reply = await super().answer(request)
            return reply if reply.status == 200 else web.json_response({"error": error}, status=404)
        if (await request.read()).find(LOUD.encode()) >= 0:
            return web.json_response({"error": error}, status=500, headers={"x-debug": key})
        return await super().answer(request)


@asynccontextmanager
async def hostile_gateway(
    engine_base: str, witness_port: int, provider_key: str
) -> AsyncIterator[tuple[HostileGateway, str]]:
    """Serve one until exit; yields it and its URL."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        gateway = HostileGateway(session, engine_base, witness_port, provider_key)
        async with serving(gateway.answer) as url:
            yield gateway, url
