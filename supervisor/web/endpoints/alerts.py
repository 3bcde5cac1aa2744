"""What fires, what was told, a test of the way to you, and silences."""

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from supervisor.web.answers.alerts import AlertsAnswer, SilenceAnswer, TestStartedAnswer
from supervisor.web.endpoint import DESK, Door, Endpoint, answered, in_body, in_query
from supervisor.web.problem import Refused

LONGEST_S = 366 * 24 * 3600


class AlertsQuery(BaseModel):
    """How much of what was told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(100, ge=1, le=1000)


class SilenceOrder(BaseModel):
    """Of which alerts nobody is told, for how long, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    matchers: dict[str, str] = Field(
        description="Pattern by label, with * and ?; all must match. 'alertname' is a label too.",
        min_length=1,
        max_length=20,
    )
    reason: str = Field(min_length=1, max_length=500)
    for_s: float = Field(gt=0, le=LONGEST_S, allow_inf_nan=False)


async def listed(request: web.Request) -> web.Response:
    """Show the alerts."""
    limit = in_query(request, AlertsQuery).limit
    world = request.app[DESK].world
    return answered(AlertsAnswer.of(await world.status(), await world.told(limit)))


async def tested(request: web.Request) -> web.Response:
    """Fire a test alert."""
    return answered(TestStartedAnswer(test=request.app[DESK].world.test_alert()), status=202)


async def silenced(request: web.Request) -> web.Response:
    """Begin a silence."""
    order = await in_body(request, SilenceOrder)
    if not any(pattern.strip("*") for pattern in order.matchers.values()):
        raise Refused(
            409,
            what="nothing was silenced",
            why="it would silence every alert",
            remedy="Name an alert or a label; to stop everything, stop the daemon.",
        )
    world = request.app[DESK].world
    begun = await world.silence(order.matchers, order.reason, order.for_s)
    return answered(SilenceAnswer.of(begun), status=201)


async def unsilenced(request: web.Request) -> web.Response:
    """End a silence."""
    number = request.match_info["number"]
    known = number.isascii() and number.isdecimal() and len(number) < 16
    if not known or not await request.app[DESK].world.end_silence(int(number)):
        raise Refused(
            404,
            what="no silence was ended",
            why=f"no silence {number!r} holds",
            remedy="GET /api/v1/alerts lists those that do.",
        )
    return web.Response(status=204)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/alerts",
        "What is pending or fires, what was told lately, notifiers and silences.",
        listed,
        answer=AlertsAnswer,
        query=AlertsQuery,
        errors=(503,),
    ),
    Endpoint(
        "POST",
        "/api/v1/alerts/test",
        "Fire a test alert, which travels as a real one does; it resolves by itself.",
        tested,
        door=Door.CHANGE,
        answer=TestStartedAnswer,
        status=202,
        errors=(503,),
    ),
    Endpoint(
        "POST",
        "/api/v1/silences",
        "Tell nobody of some alerts for a while.",
        silenced,
        door=Door.CHANGE,
        answer=SilenceAnswer,
        status=201,
        body=SilenceOrder,
        errors=(409, 413, 415, 503),
    ),
    Endpoint(
        "DELETE",
        "/api/v1/silences/{number}",
        "End a silence before its time.",
        unsilenced,
        door=Door.CHANGE,
        status=204,
        media_type="",
        errors=(404, 503),
    ),
)
