"""Drills that have ended, and campaigns that are begun and broken off from here."""

from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.store.records import DrillFilter
from supervisor.web.answers.drills import DrillsAnswer, EvidenceAnswer, StartedAnswer
from supervisor.web.drill_order import DrillOrder
from supervisor.web.endpoint import DESK, Door, Endpoint, answered, in_body, in_query
from supervisor.web.problem import Refused


def _storable(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a time that can be told in UTC") from error


Since = Annotated[AwareDatetime, AfterValidator(_storable)]


class DrillsQuery(BaseModel):
    """Which drills; every condition narrows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gateway: str | None = None
    group: str | None = None
    path: str | None = Field(None, description="A part of the path's text form.")
    outcome: Outcome | None = None
    kind: Kind | None = None
    campaign: str | None = None
    since: Since | None = Field(None, description="Ended then or later, with time zone.")
    before: str | None = Field(None, description="Older than this drill: the page after it.")
    limit: int = Field(100, ge=1, le=1000)


async def listed(request: web.Request) -> web.Response:
    """Show one page of drills."""
    query = in_query(request, DrillsQuery)
    found = await request.app[DESK].world.drills(DrillFilter(**query.model_dump()))
    return answered(DrillsAnswer.of(found, query.limit))


async def shown(request: web.Request) -> web.Response:
    """Show one drill."""
    name = request.match_info["id"]
    stored = await request.app[DESK].world.drill(name)
    if stored is None:
        raise Refused(
            404,
            what="no drill was shown",
            why=f"there is none with the id {name!r}, or it is too old to be kept",
            remedy="'understudy history', or GET /api/v1/drills, lists those that are kept.",
        )
    return answered(EvidenceAnswer.of(stored))


async def begun(request: web.Request) -> web.Response:
    """Begin a campaign."""
    order = await in_body(request, DrillOrder)
    campaign = await request.app[DESK].world.start_drills(order)
    events = f"/api/v1/events?campaign={campaign}"
    return answered(StartedAnswer(id=campaign, events=events), status=202)


async def broken_off(request: web.Request) -> web.Response:
    """Break off a campaign."""
    name = request.match_info["id"]
    if not await request.app[DESK].world.stop_drills(name):
        raise Refused(
            404,
            what="no drills were broken off",
            why=f"no campaign {name!r} runs or waits",
            remedy="Give the id with which POST /api/v1/drills answered; it may have ended.",
        )
    return web.Response(status=204)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/drills",
        "Drill now; the answer comes at once, progress and results as events.",
        begun,
        door=Door.CHANGE,
        answer=StartedAnswer,
        status=202,
        body=DrillOrder,
        errors=(409, 413, 415, 422, 503),
    ),
    Endpoint(
        "DELETE",
        "/api/v1/drills/{id}",
        "Break off the campaign of this id; what is running is ended cleanly.",
        broken_off,
        door=Door.CHANGE,
        status=204,
        media_type="",
        errors=(404, 503),
    ),
    Endpoint(
        "GET",
        "/api/v1/drills",
        "Drills that have ended, newest first, a page at a time.",
        listed,
        answer=DrillsAnswer,
        query=DrillsQuery,
        errors=(503,),
    ),
    Endpoint(
        "GET",
        "/api/v1/drills/{id}",
        "One drill with its findings, and what was observed.",
        shown,
        answer=EvidenceAnswer,
        errors=(404, 503),
    ),
)
