"""Alerts to send, and a receiver on loopback that remembers what came."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from supervisor.alerts.notifier import Notice
from tests.fakes.manual_clock import NOON

FIRING = Notice(
    delivery="01JZ-delivery-1",
    labels={"alertname": "FallbackBroken", "severity": "page", "group": "claude", "hop": "gemma"},
    annotations={
        "summary": "gemma did not answer for claude",
        "description": "The drill failed: hop_failed.",
        "runbook_url": "https://understudy.example/runbooks#fallbackbroken",
    },
    firing=True,
    reason="first",
    starts_at=NOON,
    ends_at=None,
    fingerprint="1a30ba71cca2921f",
    generator_url="http://127.0.0.1:8940/paths/claude",
    external_url="http://127.0.0.1:8940",
)
RESOLVED = replace(FIRING, firing=False, reason="resolved", ends_at=NOON + timedelta(minutes=7))


def labelled(**labels: str) -> Notice:
    """Fire with these labels."""
    return replace(FIRING, labels=labels)


@dataclass
class Received:
    """One request.

    Attributes:
        headers: By lower-case name.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers as its fields say; use it with ``tests.fakes.server.serving``.

    Attributes:
        echoes: Whether each reply repeats the request's headers and line, as some servers do.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "fine"
    echoes: bool = False
    came: list[Received] = field(default_factory=list)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.came.append(Received(request.path_qs, headers, await request.read()))
        text = self.body
        if self.echoes:
            text = f"{headers.get('authorization')} {request.path_qs} {request.url} {headers}"
        if self.status == 204:
            return web.Response(status=204)
        return web.Response(status=self.status, headers=self.headers, text=text)


async def hangs(_: Any) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def closes_early(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without a reply."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def breaks_off(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection in the middle of a reply that began well."""
    reply = web.StreamResponse(status=200, headers={"content-length": "100"})
    await reply.prepare(request)
    await reply.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return reply


async def speaks_no_http(request: web.BaseRequest) -> web.StreamResponse:
    """Answer something that is not HTTP."""
    assert request.transport is not None
    request.transport.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    request.transport.close()
    return web.Response()
