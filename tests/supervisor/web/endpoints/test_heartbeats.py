"""Clients say that they are alive, by the token or by a secret of their own."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from tests.fakes.snapshots import condition, full_snapshot, snapshot
from tests.fakes.world import BEARER

PATH = "/api/v1/heartbeats/backup"


@pytest.fixture
def expecting(api):
    """An API that waits for one heartbeat."""
    expected = full_snapshot().condition.expected
    api.world.snapshot = snapshot(condition=condition(expected=expected))
    api.world.secrets["backup"] = SecretStr("s3cret")
    return api


async def test_every_heartbeat_that_is_waited_for_is_listed(api):
    """With what was promised, what came, and how many are missing."""
    api.world.snapshot = full_snapshot()
    answer = await api.get("/api/v1/heartbeats")
    assert answer.json["heartbeats"] == [
        {
            "name": "backup",
            "status": "missed",
            "period_s": 3600.0,
            "grace_s": 900.0,
            "due_at": "2026-03-01T11:00:00Z",
            "last_at": "2026-03-01T10:00:00Z",
            "age_s": 7200.0,
            "missed": 2,
            "count": 7,
        }
    ]


async def test_a_heartbeat_that_never_came_is_listed(api):
    """Before its first sign of life it is new, not missed."""
    known = full_snapshot()
    api.world.snapshot = replace(known, beats={})
    (shown,) = (await api.get("/api/v1/heartbeats")).json["heartbeats"]
    assert (shown["status"], shown["last_at"], shown["count"]) == ("new", None, 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_with_the_secret_is_let_in(expecting, method):
    """As cron and curl send it: one address, no header."""
    answer = await expecting.ask(method, f"{PATH}?secret=s3cret")
    assert (answer.status, answer.json) == (200, {"name": "backup"})
    assert expecting.world.calls == [("beat", "backup")]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_with_the_token_is_let_in(expecting, method):
    """As everything else that changes something."""
    answer = await expecting.ask(method, PATH, headers=BEARER)
    assert answer.status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("query", ["", "?secret=wrong", "?secret="])
async def test_anyone_else_is_refused(expecting, method, query):
    """Also from this machine: a heartbeat that anybody sends proves nothing."""
    answer = await expecting.ask(method, PATH + query)
    assert answer.status == 401
    assert "s3cret" not in answer.body.decode()
    assert expecting.world.calls == []


async def test_a_heartbeat_without_a_secret_is_opened_by_none(expecting):
    """No secret is right where none was given, not even an empty one."""
    expecting.world.secrets.clear()
    for query in ("?secret=", "?secret=x"):
        assert (await expecting.ask("POST", PATH + query)).status == 401


async def test_a_heartbeat_that_nobody_waits_for_is_not_found(expecting):
    """A misspelt name is reported to the client that sends it."""
    answer = await expecting.change("POST", "/api/v1/heartbeats/bakcup")
    assert answer.status == 404
    assert "bakcup" in answer.json["why"]


async def test_another_site_s_page_sends_none(expecting):
    """A browser that was tricked is refused, with the token too."""
    headers = {**BEARER, "Origin": "http://evil.example"}
    assert (await expecting.ask("POST", PATH, headers=headers)).status == 403
