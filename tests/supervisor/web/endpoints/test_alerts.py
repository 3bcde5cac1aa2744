"""What fires can be read, tested and silenced."""

from datetime import timedelta

import pytest

from supervisor.store.alerts.records import Delivery, DeliveryState, NotifierRecord, Silence, Told
from tests.fakes.alerts import alert_change, alert_state
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import condition, snapshot

SILENCE = Silence(7, {"group": "claude"}, "lunch", NOON, NOON + timedelta(hours=1))
TAKEN = Delivery(
    1, "ops", alert_change(), DeliveryState.TAKEN, 2, NOON, NOON + timedelta(seconds=3), "ok"
)


async def test_what_fires_is_listed_with_who_was_told(api):
    """Its labels, since when, its deliveries, and how long they took."""
    api.world.snapshot = snapshot(
        alerts=(alert_state(),),
        silences=(SILENCE,),
        notifiers={"ops": NotifierRecord("ops", 1, 2, "ok")},
        condition=condition(notifiers=("ops", "phone")),
    )
    api.world.was_told = (Told(alert_change(), (TAKEN,)),)
    answer = (await api.get("/api/v1/alerts")).json
    (alert,) = answer["alerts"]
    assert (alert["alertname"], alert["severity"], alert["phase"]) == (
        "FallbackBroken",
        "page",
        "firing",
    )
    assert alert["silence"] == "lunch"
    (told,) = answer["told"]
    assert told["id"] == "d1"
    assert told["deliveries"][0]["took_s"] == 3.0
    assert told["deliveries"][0]["state"] == "taken"
    assert [(one["name"], one["waiting"], one["dead"]) for one in answer["notifiers"]] == [
        ("ops", 1, 2),
        ("phone", 0, 0),
    ]
    assert answer["silences"][0]["number"] == 7
    assert api.world.calls == [("status",), ("told", 100)]


async def test_an_alert_is_part_of_the_status(api):
    """Who asks for the status sees what fires."""
    api.world.snapshot = snapshot(alerts=(alert_state(),))
    (alert,) = (await api.get("/api/v1/status")).json["alerts"]
    assert alert["alertname"] == "FallbackBroken"


async def test_a_test_is_fired(api):
    """The answer names the label by which it is found again."""
    answer = await api.change("POST", "/api/v1/alerts/test")
    assert (answer.status, answer.json) == (202, {"test": "t1"})


async def test_a_silence_is_begun_and_ended(api):
    """With an end and a reason, and by its number."""
    order = {"matchers": {"alertname": "Engine*"}, "reason": "new driver", "for_s": 3600}
    answer = await api.change("POST", "/api/v1/silences", json=order)
    assert answer.status == 201
    assert answer.json == {
        "number": 7,
        "matchers": {"alertname": "Engine*"},
        "reason": "new driver",
        "since": "2026-03-01T12:00:00Z",
        "until": "2026-03-01T13:00:00Z",
    }
    assert (await api.change("DELETE", "/api/v1/silences/7")).status == 204


@pytest.mark.parametrize("number", ["8", "x", "-1", "9" * 30, "²"])
async def test_a_silence_that_does_not_hold_cannot_be_ended(api, number):
    """A typo is reported, whatever it is."""
    assert (await api.change("DELETE", f"/api/v1/silences/{number}")).status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"matchers": {}},
        {"reason": ""},
        {"for_s": 0},
        {"for_s": float("inf")},
        {"who": "me"},
    ],
)
async def test_a_silence_without_matchers_reason_or_end_is_refused(api, change):
    """Each is asked for, and named where it is missing."""
    order = {"matchers": {"alertname": "Halted"}, "reason": "lunch", "for_s": 60, **change}
    assert (await api.change("POST", "/api/v1/silences", json=order)).status == 400
    assert api.world.calls == []


@pytest.mark.parametrize("matchers", [{"alertname": "*"}, {"alertname": "*", "group": ""}])
async def test_not_everything_is_silenced_at_once(api, matchers):
    """Nobody is left deaf by a pattern that matches all."""
    order = {"matchers": matchers, "reason": "lunch", "for_s": 60}
    assert (await api.change("POST", "/api/v1/silences", json=order)).status == 409
    assert api.world.calls == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/alerts/test"),
        ("POST", "/api/v1/silences"),
        ("DELETE", "/api/v1/silences/7"),
    ],
)
async def test_nobody_is_silenced_or_woken_without_the_token(api, method, path):
    """Also from this machine."""
    assert (await api.ask(method, path)).status == 401
    assert api.world.calls == []
