"""Somebody has the API's token: what he can do, all of it, and what he cannot."""

import json
import re

from chaos.http_client import open_session
from supervisor.daemon.campaigns import ordered
from supervisor.settings.model import Settings
from supervisor.web.application import application, listening
from supervisor.web.drill_order import DrillOrder
from supervisor.web.endpoint import Door
from supervisor.web.endpoints import ENDPOINTS
from tests.fakes.world import ACCESS, BEARER, FakeWorld

CHANGES = {
    ("POST", "/api/v1/drills"),
    ("DELETE", "/api/v1/drills/{id}"),
    ("POST", "/api/v1/halt"),
    ("DELETE", "/api/v1/halt"),
    ("POST", "/api/v1/alerts/test"),
    ("POST", "/api/v1/silences"),
    ("DELETE", "/api/v1/silences/{number}"),
    ("POST", "/api/v1/benchmarks"),
}


def test_the_token_drills_halts_silences_and_adds_benchmarks_and_does_nothing_else():
    """A new way to change something is a new thing that a thief can do: it has to be listed."""
    assert {(e.method, e.path) for e in ENDPOINTS if e.door is Door.CHANGE} == CHANGES
    reading = {e.method for e in ENDPOINTS if e.door is Door.READ}
    assert reading <= {"GET"}


async def test_no_address_of_the_api_shows_settings_or_secrets():
    """With the token or without: the whole description has no place for either."""
    app = application(FakeWorld(), access=ACCESS, version="1")
    async with (
        listening(app, ["127.0.0.1:0"]) as (url,),
        open_session() as session,
        session.get(f"{url}/api/v1/openapi.json", headers=BEARER, allow_redirects=False) as reply,
    ):
        described = json.loads(await reply.read())
    assert not [path for path in described["paths"] if re.search("config|setting|secret", path)]
    fields = {
        name
        for model in described["components"]["schemas"].values()
        for name in model.get("properties", ())
    }
    assert not {name for name in fields if re.search("password|secret|token$|api_key", name)}


def test_an_order_changes_how_is_drilled_and_no_other_setting():
    """Neither who is told, nor the day's budget, nor where keys are, nor the gateway."""
    settings = Settings.model_validate(
        {
            "gateway": {"url": "http://gateway:4000", "key": {"env": "KEY"}},
            "engines": {"gemma": {"url": "http://gemma:8000", "key": {"env": "ENGINE_KEY"}}},
        }
    )
    order = DrillOrder(
        real_keys=True, budget_usd=1000, engines={"gemma": "http://thief.example"}, concurrency=4
    )
    made = ordered(settings, order)
    same = {name for name in Settings.model_fields if name not in ("drills", "engines")}
    assert {name: getattr(made, name) for name in same} == {
        name: getattr(settings, name) for name in same
    }
    # An engine's key stays behind where an order names another address for it.
    assert made.engines["gemma"].key is None
    assert made.budget.usd == 0
