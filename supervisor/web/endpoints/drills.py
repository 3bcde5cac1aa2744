"""Drills that have ended."""

from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.store.records import DrillFilter
from supervisor.web.answers import DrillsAnswer, EvidenceAnswer
from supervisor.web.endpoint import DESK, Endpoint, answered, in_query
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
            remedy="GET /api/v1/drills lists those that are kept.",
        )
    return answered(EvidenceAnswer.of(stored))


ENDPOINTS = (
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
