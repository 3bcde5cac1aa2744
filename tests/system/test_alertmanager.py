"""Debian's Alertmanager takes our alerts, calls a receiver for them, and lets them resolve."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chaos.http_client import open_session
from supervisor.alerts.notifier import Notice, Result
from supervisor.alerts.notifiers.alertmanager import Alertmanager
from supervisor.alerts.notifiers.webhook import body_of
from supervisor.settings.alerting import AlertmanagerSettings
from tests.fakes.alert_receiver import FIRING, Receiver
from tests.fakes.monitoring import alertmanager, eventually
from tests.fakes.server import serving
from tests.patience import until

pytestmark = pytest.mark.prometheus


@dataclass
class Site:
    """An Alertmanager that runs, and the receiver that it calls."""

    url: str
    receiver: Receiver
    session: aiohttp.ClientSession

    def notifier(self) -> Alertmanager:
        """Build ours for it."""
        settings = AlertmanagerSettings.model_validate({"url": self.url})
        return Alertmanager.from_settings("am", settings, self.session)

    async def alerts(self) -> list[dict[str, Any]]:
        """Read what fires."""
        async with self.session.get(f"{self.url}/api/v2/alerts", allow_redirects=False) as reply:
            alerts: list[dict[str, Any]] = await reply.json()
            return alerts

    def called(self, status: str) -> list[dict[str, Any]]:
        """List the messages with this status that the receiver got."""
        messages = [json.loads(came.body) for came in self.receiver.came]
        return [message for message in messages if message["status"] == status]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A real Alertmanager with a receiver."""
    receiver = Receiver()
    async with (
        serving(receiver) as receiver_url,
        alertmanager(tmp_path, receiver_url) as url,
        open_session() as session,
    ):
        yield Site(url, receiver, session)


def now_firing(**labels: str) -> Notice:
    """Fire since a minute ago, with more labels."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    return replace(FIRING, labels={**FIRING.labels, **labels}, starts_at=began)


async def test_an_alert_fires_and_resolves_in_a_real_alertmanager(site: Site):
    """It appears with its labels, its receiver is called, and it is gone when it is resolved."""
    notifier, firing = site.notifier(), now_firing(zone="")
    receipt = await notifier.deliver(firing)
    assert receipt.result is Result.OK, receipt
    [alert] = await site.alerts()
    assert alert["labels"] == dict(FIRING.labels)
    assert alert["annotations"] == dict(FIRING.annotations)
    assert alert["generatorURL"] == FIRING.generator_url
    assert alert["status"]["state"] in ("active", "unprocessed")
    left = datetime.fromisoformat(alert["endsAt"]) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(minutes=4)

    await until(lambda: site.called("firing"))
    assert site.called("firing")[0]["commonLabels"] == dict(FIRING.labels)

    ended = replace(firing, firing=False, reason="resolved", ends_at=datetime.now(UTC))
    receipt = await notifier.deliver(ended)
    assert receipt.result is Result.OK, receipt
    await until(lambda: site.called("resolved"))

    async def gone() -> bool:
        return await site.alerts() == []

    await eventually(gone)


async def test_what_is_kept_alive_ends_later_in_a_real_alertmanager(site: Site):
    """All alerts in one request, each the same alert as before with a later end."""
    notifier = site.notifier()
    firing = tuple(now_firing(hop=f"hop-{number}") for number in range(3))
    for notice in firing:
        assert (await notifier.deliver(notice)).result is Result.OK
    before = {alert["fingerprint"]: alert["endsAt"] for alert in await site.alerts()}
    receipt = await notifier.keep_alive(firing)
    assert receipt is not None
    assert receipt.result is Result.OK
    after = {alert["fingerprint"]: alert["endsAt"] for alert in await site.alerts()}
    assert len(after) == 3
    assert after.keys() == before.keys()
    assert all(after[fingerprint] > before[fingerprint] for fingerprint in after)


async def test_our_webhook_body_has_every_key_of_a_real_one(site: Site):
    """A receiver that was written for Alertmanager finds in our body all that it may read."""
    firing = now_firing()
    await site.notifier().deliver(firing)
    await until(lambda: site.called("firing"))
    real, ours = site.called("firing")[0], json.loads(body_of(firing, "hook"))
    assert real.keys() <= ours.keys()
    assert real["alerts"][0].keys() == ours["alerts"][0].keys()
    for key in ("version", "status", "receiver", "commonLabels", "commonAnnotations"):
        assert ours[key] == real[key]
    for key in ("status", "labels", "annotations", "generatorURL"):
        assert ours["alerts"][0][key] == real["alerts"][0][key]
    assert type(ours["truncatedAlerts"]) is type(real["truncatedAlerts"])
    assert type(ours["groupKey"]) is type(real["groupKey"])


async def test_a_refusal_of_a_real_alertmanager_is_shown(site: Site):
    """An alert without a label is refused for good, in Alertmanager's words."""
    receipt = await site.notifier().deliver(replace(now_firing(), labels={"alertname": ""}))
    assert (receipt.result, receipt.status) == (Result.CLIENT_ERROR, 400)
    assert "at least one label pair required" in receipt.detail
