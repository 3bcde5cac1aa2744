"""Signs of life of clients: taken from cron and curl, and how they are.

curl -fsS http://127.0.0.1:8940/api/v1/heartbeats/backup?secret=SECRET
"""

import hmac

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from supervisor.web.answers.parts import BeatAnswer, HeartbeatsAnswer
from supervisor.web.endpoint import DESK, Door, Endpoint, answered, in_query
from supervisor.web.problem import Refused


class BeatQuery(BaseModel):
    """What lets a client in that has no token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str | None = Field(None, description="The heartbeat's own secret.")


async def listed(request: web.Request) -> web.Response:
    """Show every heartbeat that is waited for."""
    return answered(HeartbeatsAnswer.of(await request.app[DESK].world.status()))


async def taken(request: web.Request) -> web.Response:
    """Take a sign of life."""
    name, desk = request.match_info["name"], request.app[DESK]
    given = request.query.get("secret")
    if given is None:
        desk.access.check_change(request)
    else:
        secret = desk.world.heartbeat_secret(name)
        right = "" if secret is None else secret.get_secret_value()
        if not right or not hmac.compare_digest(given.encode(), right.encode()):
            raise Refused(
                401,
                what="the sign of life was not taken",
                why="the secret is not this heartbeat's",
                remedy="Send the one that heartbeats.NAME.secret names, or the token.",
            )
    in_query(request, BeatQuery)
    if not await desk.world.beat(name):
        raise Refused(
            404,
            what="the sign of life was not taken",
            why=f"no heartbeat {name!r} is waited for",
            remedy="Name it below heartbeats in the configuration; GET /api/v1/heartbeats lists "
            "those that are.",
        )
    return answered(BeatAnswer(name=name))


SUMMARY = "A client's sign of life; with the token, or with its own secret."

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/heartbeats",
        "Clients from which a sign of life is expected, and how they are.",
        listed,
        answer=HeartbeatsAnswer,
        errors=(503,),
    ),
    *(
        Endpoint(
            method,
            "/api/v1/heartbeats/{name}",
            SUMMARY,
            taken,
            door=Door.OPEN,
            answer=BeatAnswer,
            query=BeatQuery,
            errors=(401, 403, 404, 503),
        )
        for method in ("POST", "GET")
    ),
)
