"""What Alertmanager's API is sent, and how long its alerts last."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chaos.errors import UsageError
from supervisor.alerts.notifier import Receipt, Result
from supervisor.alerts.notifiers.alertmanager import Alertmanager, alert_of
from supervisor.settings.alerting import AlertmanagerSettings
from tests.fakes.alert_receiver import FIRING, RESOLVED, Receiver, labelled
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.server import serving


def alertmanager(
    session: aiohttp.ClientSession, url: str, clock: ManualClock | None = None
) -> Alertmanager:
    """Build one."""
    settings = AlertmanagerSettings.model_validate({"url": url})
    return Alertmanager.from_settings("am", settings, session, clock=clock or ManualClock())


async def test_an_alert_is_posted_to_version_2_of_the_api(session: aiohttp.ClientSession):
    """Below the root that the settings name, as a list of one, as Prometheus writes it."""
    receiver = Receiver()
    async with serving(receiver) as url:
        receipt = await alertmanager(session, f"{url}/prefix/").deliver(FIRING)
    assert receipt == Receipt(Result.OK, status=200)
    [came] = receiver.came
    assert came.path == "/prefix/api/v2/alerts"
    assert json.loads(came.body) == [
        {
            "labels": dict(FIRING.labels),
            "annotations": dict(FIRING.annotations),
            "startsAt": "2026-03-01T12:00:00Z",
            "endsAt": "2026-03-01T12:04:00Z",
            "generatorURL": "http://127.0.0.1:8940/paths/claude",
        }
    ]


def test_a_firing_alert_ends_four_minutes_from_now():
    """Counted from each sending: a daemon that is dead keeps no alert alive."""
    assert alert_of(FIRING, NOON + timedelta(hours=3))["endsAt"] == "2026-03-01T15:04:00Z"


def test_a_resolved_alert_ends_when_it_ended():
    """However late that is delivered."""
    assert alert_of(RESOLVED, NOON + timedelta(hours=3))["endsAt"] == "2026-03-01T12:07:00Z"


def test_a_resolved_alert_without_an_end_ends_now():
    """It is not left to fire for four more minutes."""
    alert = alert_of(replace(RESOLVED, ends_at=None), NOON + timedelta(hours=1))
    assert alert["endsAt"] == "2026-03-01T13:00:00Z"


@pytest.mark.parametrize("notice", [FIRING, RESOLVED])
def test_no_alert_ends_before_it_starts(notice: Any):
    """A clock that was set back would make Alertmanager refuse it for good."""
    late = replace(notice, starts_at=NOON + timedelta(hours=9))
    assert alert_of(late, NOON)["endsAt"] == "2026-03-01T21:00:00Z"


def test_empty_labels_are_dropped_and_the_severity_stays():
    """An empty label is no label to Alertmanager; routes need the severity."""
    notice = replace(FIRING, labels={"alertname": "GatewayDown", "severity": "page", "group": ""})
    assert alert_of(notice, NOON)["labels"] == {"alertname": "GatewayDown", "severity": "page"}


def test_an_address_that_is_unknown_is_left_out():
    """Alertmanager refuses an empty one as no URI."""
    assert "generatorURL" not in alert_of(replace(FIRING, generator_url=""), NOON)


async def test_everything_that_fires_is_kept_alive_at_once(session: aiohttp.ClientSession):
    """In one request, with ends that lie ahead again."""
    receiver, clock = Receiver(), ManualClock(NOON)
    clock.advance(60)
    firing = tuple(labelled(alertname="EngineDown", engine=f"e{n}") for n in range(64))
    async with serving(receiver) as url:
        receipt = await alertmanager(session, url, clock).keep_alive(firing)
    assert receipt == Receipt(Result.OK, status=200)
    [came] = receiver.came
    alerts = json.loads(came.body)
    assert [alert["labels"]["engine"] for alert in alerts] == [f"e{n}" for n in range(64)]
    assert {alert["endsAt"] for alert in alerts} == {"2026-03-01T12:05:00Z"}


async def test_many_are_kept_alive_in_pieces(session: aiohttp.ClientSession):
    """Sixty-four in each request, and none twice."""
    receiver = Receiver()
    firing = tuple(labelled(alertname="EngineDown", engine=f"e{n}") for n in range(130))
    async with serving(receiver) as url:
        receipt = await alertmanager(session, url).keep_alive(firing)
    assert receipt is not None
    assert receipt.result is Result.OK
    sizes = [len(json.loads(came.body)) for came in receiver.came]
    assert sizes == [64, 64, 2]


async def test_with_nothing_firing_nothing_is_sent(session: aiohttp.ClientSession):
    """And there is no receipt, which would count as a success."""
    assert await alertmanager(session, "http://127.0.0.1:9").keep_alive(()) is None


def answering(*statuses: int) -> tuple[Callable[[Any], Awaitable[web.Response]], list[int]]:
    """Answer with one status after another; the list grows by those that were sent."""
    sent: list[int] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        sent.append(statuses[len(sent)])
        return web.Response(status=sent[-1])

    return handler, sent


async def test_a_refused_piece_does_not_keep_the_next_from_being_sent(
    session: aiohttp.ClientSession,
):
    """One bad alert lets no other resolve; the receipt names the refusal."""
    handler, sent = answering(200, 400, 200)
    firing = tuple(labelled(alertname="EngineDown", engine=f"e{n}") for n in range(130))
    async with serving(handler) as url:
        receipt = await alertmanager(session, url).keep_alive(firing)
    assert sent == [200, 400, 200]
    assert receipt is not None
    assert receipt.result is Result.CLIENT_ERROR


async def test_what_is_down_is_not_asked_for_every_piece(session: aiohttp.ClientSession):
    """Each would take a whole deadline."""
    handler, sent = answering(503, 200)
    firing = tuple(labelled(alertname="EngineDown", engine=f"e{n}") for n in range(130))
    async with serving(handler) as url:
        receipt = await alertmanager(session, url).keep_alive(firing)
    assert sent == [503]
    assert receipt is not None
    assert receipt.result is Result.SERVER_ERROR


@pytest.mark.parametrize("url", ["http://127.0.0.1:9093/?team=x", "http://127.0.0.1:9093/#/alerts"])
async def test_an_address_with_more_than_a_root_is_refused(
    session: aiohttp.ClientSession, url: str
):
    """The API's path would land in the query, or the page's address was copied."""
    with pytest.raises(UsageError, match="a query or a fragment"):
        alertmanager(session, url)
