"""Stop all drilling, and go on."""

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from supervisor.web.answers.status import HaltAnswer
from supervisor.web.endpoint import DESK, Door, Endpoint, answered, in_body, in_query

LONGEST_S = 366 * 24 * 3600


class HaltOrder(BaseModel):
    """Why, and for how long; without a time until somebody resumes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field("", max_length=500)
    for_s: float | None = Field(None, gt=0, le=LONGEST_S)
    everywhere: bool = Field(True, description="For every daemon of the store, not for this only.")


class ResumeQuery(BaseModel):
    """Whose halt ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    everywhere: bool = True


async def halted(request: web.Request) -> web.Response:
    """Drill nothing."""
    order = await in_body(request, HaltOrder)
    world = request.app[DESK].world
    return answered(
        HaltAnswer.of(await world.halt(order.reason, order.for_s, everywhere=order.everywhere))
    )


async def resumed(request: web.Request) -> web.Response:
    """Go on; also if nothing was halted."""
    query = in_query(request, ResumeQuery)
    await request.app[DESK].world.resume(everywhere=query.everywhere)
    return web.Response(status=204)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/halt",
        "Drill nothing, at once and across restarts; what is running is broken off.",
        halted,
        door=Door.CHANGE,
        answer=HaltAnswer,
        body=HaltOrder,
        errors=(413, 415, 503),
    ),
    Endpoint(
        "DELETE",
        "/api/v1/halt",
        "Go on drilling.",
        resumed,
        door=Door.CHANGE,
        status=204,
        media_type="",
        query=ResumeQuery,
        errors=(503,),
    ),
)
