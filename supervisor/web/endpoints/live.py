"""Events as they happen, as server-sent events."""

import asyncio

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response
from pydantic import BaseModel, ConfigDict, Field

from supervisor.web.endpoint import DESK, Desk, Endpoint, in_query
from supervisor.web.events import Listener


class EventsQuery(BaseModel):
    """Which events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    campaign: str | None = Field(
        None, description="Only this campaign's, from its beginning unless one was seen."
    )
    seen: str | None = Field(
        None, description="Id of the last event seen; as the header Last-Event-ID."
    )


async def events(request: web.Request) -> web.StreamResponse:
    """Tell events until the client leaves, does not keep up, or the daemon stops."""
    desk, query = request.app[DESK], in_query(request, EventsQuery)
    seen = request.headers.get("Last-Event-ID") or query.seen
    with desk.world.events.listen(seen=seen, campaign=query.campaign) as listener:
        async with sse_response(request, ping_interval=desk.ping_s, sep="\n") as stream:
            await _tell_all(desk, listener, stream)
    return stream


async def _tell_all(desk: Desk, listener: Listener, stream: EventSourceResponse) -> None:
    # What waits for an event does not see that the client has gone; the stream's pings do.
    while stream.is_connected():
        try:
            async with asyncio.timeout(desk.ping_s):
                event = await listener.next()
        except TimeoutError:
            continue
        if event is None:
            return
        try:
            await stream.send(event.text, id=desk.world.events.id(event), event=event.name)
        except (ConnectionError, TimeoutError):
            return


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/events",
        "What happens, as server-sent events; 'missed' means: read everything anew.",
        events,
        media_type="text/event-stream",
        query=EventsQuery,
        errors=(503,),
    ),
)
