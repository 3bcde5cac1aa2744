"""Events arrive as they happen, as server-sent events."""

import asyncio
import json

import pytest

from supervisor.web.events import MOST_LISTENERS
from tests.fakes.world import site


async def received(response, count):
    """Read so many events; pings are none."""
    events: list[dict[str, str]] = []
    while len(events) < count:
        block = (await response.content.readuntil(b"\n\n")).decode().strip()
        if not block.startswith(":"):
            events.append(dict(line.split(": ", 1) for line in block.splitlines()))
    return events


async def test_what_happens_is_told_at_once(api):
    """With its name, its id and its data."""
    async with api.session.get(api.url + "/api/v1/events") as response:
        assert response.content_type == "text/event-stream"
        api.world.events.tell("drill.ended", {"outcome": "passed"}, campaign="c1")
        (event,) = await received(response, 1)
    assert (event["event"], event["id"]) == ("drill.ended", "run1-1")
    assert json.loads(event["data"]) == {"campaign": "c1", "outcome": "passed"}


async def test_a_campaign_is_followed_from_its_beginning(api):
    """Who has begun it can only ask afterwards."""
    api.world.events.tell("drill.started", {}, campaign="c1")
    api.world.events.tell("drill.started", {}, campaign="c2")
    api.world.events.tell("drill.ended", {}, campaign="c1")
    async with api.session.get(api.url + "/api/v1/events?campaign=c1") as response:
        events = await received(response, 2)
    assert [event["event"] for event in events] == ["drill.started", "drill.ended"]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_who_comes_back_goes_on_where_it_was(api, how):
    """Browsers send the header by themselves, programs may write it into the address."""
    seen = api.world.events.id(api.world.events.tell("one", {}))
    api.world.events.tell("two", {})
    headers = {"Last-Event-ID": seen} if how == "header" else {}
    path = "/api/v1/events" + (f"?seen={seen}" if how == "query" else "")
    async with api.session.get(api.url + path, headers=headers) as response:
        (event,) = await received(response, 1)
    assert event["event"] == "two"


async def test_a_client_that_leaves_is_forgotten():
    """The stream's pings notice it, although nothing happens."""
    async with site(ping_s=0.01) as api:
        async with api.session.get(api.url + "/api/v1/events") as response:
            await response.content.readuntil(b": ping")
            assert api.world.events.listening == 1
        async with asyncio.timeout(10):
            while api.world.events.listening:
                await asyncio.sleep(0)


async def test_pings_are_no_events():
    """A silent stream is kept open, and says nothing else."""
    async with site(ping_s=0.01) as api, api.session.get(api.url + "/api/v1/events") as response:
        for _ in range(3):
            await response.content.readuntil(b": ping\n\n")
        api.world.events.tell("one", {})
        assert (await received(response, 1))[0]["event"] == "one"


async def test_too_many_listeners_are_told_to_come_later(api):
    """The daemon's memory is bounded."""
    doors = [api.world.events.listen() for _ in range(MOST_LISTENERS)]
    for door in doors:
        door.__enter__()
    answer = await api.get("/api/v1/events")
    assert (answer.status, answer.json["why"]) == (503, f"{MOST_LISTENERS} listen already")
