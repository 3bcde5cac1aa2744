"""Drilling is halted, and goes on."""

import pytest


async def test_a_halt_is_answered_with_its_reason_and_end(api):
    """The answer is the halt as the daemon holds it."""
    answer = await api.change("POST", "/api/v1/halt", json={"reason": "release", "for_s": 60})
    assert answer.status == 200
    assert answer.json == {
        "reason": "release",
        "since": "2026-03-01T12:00:00Z",
        "until": "2026-03-01T12:01:00Z",
        "daemon": None,
    }
    assert api.world.calls == [("halt", "release", 60, True)]


@pytest.mark.parametrize("body", [None, {}])
async def test_a_bare_halt_holds_everywhere_and_without_end(api, body):
    """No body, or an empty one, is enough to halt."""
    answer = await api.change("POST", "/api/v1/halt", json=body)
    assert (answer.status, answer.json["until"]) == (200, None)
    assert api.world.calls == [("halt", "", None, True)]


async def test_a_halt_may_hold_for_this_daemon_only(api):
    """Other daemons of the store are left alone where that is asked for."""
    answer = await api.change("POST", "/api/v1/halt", json={"everywhere": False})
    assert answer.json["daemon"] == "spark-1"
    assert api.world.calls == [("halt", "", None, False)]


@pytest.mark.parametrize(
    "body",
    [
        {"for_s": 0},
        {"for_s": -1},
        {"for_s": 366 * 24 * 3600 + 1},
        {"for_s": float("nan")},
        {"for_s": float("inf")},
        {"reason": "x" * 501},
        {"why": "x"},
    ],
)
async def test_a_halt_that_makes_no_sense_is_refused(api, body):
    """The field is named, and nothing is halted."""
    answer = await api.change("POST", "/api/v1/halt", json=body)
    assert answer.status == 400
    assert answer.json["why"].startswith(next(iter(body)))
    assert api.world.calls == []


@pytest.mark.parametrize(
    "body", [{"for_s": 366 * 24 * 3600}, {"for_s": 0.5}, {"reason": "x" * 500}]
)
async def test_the_longest_halt_and_reason_are_accepted(api, body):
    """The limits themselves are allowed."""
    assert (await api.change("POST", "/api/v1/halt", json=body)).status == 200


@pytest.mark.parametrize(
    ("query", "everywhere"), [("", True), ("?everywhere=true", True), ("?everywhere=false", False)]
)
async def test_resuming_answers_without_a_body(api, query, everywhere):
    """It is a success even where nothing was halted."""
    answer = await api.change("DELETE", f"/api/v1/halt{query}")
    assert (answer.status, answer.body) == (204, b"")
    assert api.world.calls == [("resume", everywhere)]


@pytest.mark.parametrize("query", ["?everywhere=perhaps", "?everywere=false"])
async def test_resuming_by_mistake_is_refused(api, query):
    """A mistyped query does not resume every daemon."""
    assert (await api.change("DELETE", f"/api/v1/halt{query}")).status == 400
    assert api.world.calls == []
