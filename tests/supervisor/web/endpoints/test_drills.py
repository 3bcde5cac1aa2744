"""Drills are listed a page at a time, and shown with their evidence."""

from datetime import UTC, datetime

import pytest

from chaos.errors import UsageError
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.store.records import DrillFilter
from supervisor.web.drill_order import DrillOrder
from supervisor.web.problem import ConflictError, NotReadyError
from tests.fakes.snapshots import stored_drill


async def test_every_condition_reaches_the_store(api):
    """Each condition of the query arrives under its own name, a time in whatever zone."""
    await api.get(
        "/api/v1/drills?gateway=http://gateway&group=claude&path=general/gemma&outcome=failed"
        "&kind=hop_failed&campaign=c1&since=2026-03-01T13:00:00%2B01:00&before=d9&limit=5"
    )
    assert api.world.calls == [
        (
            "drills",
            DrillFilter(
                gateway="http://gateway",
                group="claude",
                path="general/gemma",
                outcome=Outcome.FAILED,
                kind=Kind.HOP_FAILED,
                campaign="c1",
                since=datetime(2026, 3, 1, 12, tzinfo=UTC),
                before="d9",
                limit=5,
            ),
        )
    ]


async def test_without_a_condition_the_newest_hundred_are_asked_for(api):
    """An empty query is the filter's own default."""
    await api.get("/api/v1/drills")
    assert api.world.calls == [("drills", DrillFilter(limit=100))]


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-03-01T12:00:00",
        "limit=0",
        "limit=1001",
        "outcome=routed",
        "kind=unknown",
        "hop=gemma",
    ],
)
async def test_a_condition_that_cannot_be_is_refused(api, query):
    """A time without a zone, a limit out of range, or an unknown value names its parameter."""
    answer = await api.get(f"/api/v1/drills?{query}")
    assert answer.status == 400
    assert answer.json["why"].startswith(query.partition("=")[0] + ": ")
    assert api.world.calls == []


async def test_a_page_leads_to_the_next(api):
    """A full page names its last drill; one that is not full is the last."""
    api.world.stored = [stored_drill(f"d{each}") for each in range(3)]
    first = (await api.get("/api/v1/drills?limit=2")).json
    assert [each["drill"]["id"] for each in first["drills"]] == ["d0", "d1"]
    assert first["before"] == "d1"
    assert (await api.get("/api/v1/drills")).json["before"] is None


async def test_a_list_holds_no_evidence(api):
    """What was observed is only in the answer about a single drill."""
    api.world.stored = [stored_drill("d1", seen={"wire": ["x"]})]
    (listed,) = (await api.get("/api/v1/drills")).json["drills"]
    shown = (await api.get("/api/v1/drills/d1")).json
    assert "seen" not in listed
    assert shown == {**listed, "seen": {"wire": ["x"]}}


async def test_an_unknown_drill_is_not_found(api):
    """The problem repeats the id, and leads to the list."""
    api.world.stored = [stored_drill("d1")]
    answer = await api.get("/api/v1/drills/d2")
    assert answer.status == 404
    assert "'d2'" in answer.json["why"]
    assert "/api/v1/drills" in answer.json["remedy"]
    assert api.world.calls == [("drill", "d2")]


async def test_a_campaign_is_begun_and_followed(api):
    """Its id comes at once, with where its progress is told."""
    answer = await api.change("POST", "/api/v1/drills", json={"groups": ["claude"]})
    assert answer.status == 202
    assert answer.json == {"id": "c1", "events": "/api/v1/events?campaign=c1"}
    assert api.world.calls[-1] == ("start_drills", DrillOrder(groups=("claude",)))


async def test_a_campaign_can_be_broken_off(api):
    """By its id; one that is not there is said to be none."""
    assert (await api.change("DELETE", "/api/v1/drills/c1")).status == 204
    assert (await api.change("DELETE", "/api/v1/drills/c9")).status == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("no such group", remedy="Name one."), 422),
        (ConflictError("halted", remedy="Resume."), 409),
        (NotReadyError("not read yet", remedy="Wait."), 503),
    ],
)
async def test_a_campaign_that_cannot_be_is_refused(api, error, status):
    """With why, and what to do."""
    api.world.error = error
    answer = await api.change("POST", "/api/v1/drills", json={})
    assert (answer.status, answer.json["why"]) == (status, error.message)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/drills"), ("DELETE", "/api/v1/drills/c1")]
)
async def test_campaigns_need_the_token(api, method, path):
    """From this machine too."""
    assert (await api.ask(method, path)).status == 401
    assert api.world.calls == []
