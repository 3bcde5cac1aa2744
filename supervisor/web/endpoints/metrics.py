"""The newest snapshot, for Prometheus."""

import asyncio

from aiohttp import web

from supervisor.metrics import expose
from supervisor.web.endpoint import DESK, Endpoint


async def metrics(request: web.Request) -> web.Response:
    """Write the metrics in the format that the scraper asks for."""
    status = await request.app[DESK].world.status()
    # Thousands of lines take a while, and the loop must not stand still.
    page, kind = await asyncio.to_thread(expose, status, request.headers.get("Accept", ""))
    return web.Response(body=page, headers={"Content-Type": kind})


ENDPOINTS = (
    Endpoint(
        "GET",
        "/metrics",
        "Metrics for Prometheus; OpenMetrics where that is asked for.",
        metrics,
        media_type="text/plain",
        errors=(503,),
    ),
)
