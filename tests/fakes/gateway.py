"""A gateway in forty lines: walks its chain on the lane that the request names.

Honest by default; each way of being wrong is a switch, so that a check can be seen to fire.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.server import serving


@dataclass
class FakeGateway:
    """What the gateway does.

    Attributes:
        chains: Hops by requested group, the group itself first.
        falls_back: It walks its chain at all.
        refuses: Status with which it turns every request away before any hop.
        claims: The group that its header names, whoever served.
        quotes_key: A header of every reply holds the key that the hop was shown.
        names: It names the deployment that answered, as LiteLLM does.
        dies_after: It fails by itself from then on: after so many requests.
        cooldown_s: How long it leaves a hop alone that has failed.
        asked: Bodies of the requests that came.
    """

    chains: Mapping[str, Sequence[str]]
    falls_back: bool = True
    refuses: int | None = None
    claims: str | None = None
    quotes_key: bool = False
    names: bool = False
    dies_after: int | None = None
    cooldown_s: float = 0.0
    _failed_at_s: dict[str, float] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve until exit; yields the base URL."""
        async with aiohttp.ClientSession() as self._session, serving(self._handle) as url:
            yield url

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        if self.dies_after is not None and len(self.asked) > self.dies_after:
            return self._error(500, "dead")
        if self.refuses is not None:
            return self._error(self.refuses, "refused")
        lane, key = body.pop("api_base"), body.pop("api_key", "sk-real-one")
        body.pop("cache", None)
        hops = self.chains[body["model"]]
        first_error: web.StreamResponse = self._error(500, "no hop")
        for place, hop in enumerate(hops if self.falls_back else hops[:1]):
            cools_until_s = self._failed_at_s.get(hop, -self.cooldown_s) + self.cooldown_s
            if time.monotonic() < cools_until_s:
                continue
            reply = await self._one(
                request, lane + request.path.removeprefix("/v1"), {**body, "model": hop}, key
            )
            if reply is not None and reply.status < 400:
                return reply
            if self.cooldown_s:
                self._failed_at_s[hop] = time.monotonic()
            if place == 0 and reply is not None:
                first_error = reply
        return first_error

    async def _one(self, request, url, body, key) -> web.StreamResponse | None:
        try:
            async with self._session.post(
                url, json=body, headers={"authorization": f"Bearer {key}"}
            ) as upstream:
                data = await upstream.read()
                headers = {
                    "content-type": upstream.content_type,
                    "x-litellm-model-group": self.claims or body["model"],
                }
                if self.quotes_key:
                    headers["x-debug"] = f"asked with {key}"
                if self.names:
                    headers["x-litellm-model-id"] = f"{body['model']}-id"
                return web.Response(status=upstream.status, body=data, headers=headers)
        except aiohttp.ClientError:
            return self._error(502, "broken upstream")

    @staticmethod
    def _error(status: int, message: str) -> web.Response:
        error = {"message": message, "type": "error", "param": None, "code": str(status)}
        return web.json_response({"error": error}, status=status)
