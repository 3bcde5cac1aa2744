"""Does the daemon live, and can it do its job? Open to everybody, and says no more than that."""

from aiohttp import web

from supervisor.web.endpoint import DESK, Door, Endpoint
from supervisor.web.problem import Refused

PLAIN = "text/plain"


async def healthz(_: web.Request) -> web.Response:
    """Answer; that is all that is asked."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """Say whether the daemon can do its job."""
    status = await request.app[DESK].world.status()
    if status.troubled:
        raise Refused(
            503,
            what="the daemon cannot do its job now",
            why=", ".join(status.troubled),
            remedy="'understudy status' and its log say more.",
        )
    return web.Response(text="ready\n")


ENDPOINTS = (
    Endpoint("GET", "/healthz", "The loop turns.", healthz, door=Door.OPEN, media_type=PLAIN),
    Endpoint(
        "GET",
        "/readyz",
        "The daemon can do its job.",
        readyz,
        door=Door.OPEN,
        media_type=PLAIN,
        errors=(503,),
    ),
)
