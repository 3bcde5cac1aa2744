"""Alertmanager's webhook format, and the signature over it."""

import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from supervisor.alerts.notifier import Notice, Notifier, Receipt, Result
from supervisor.alerts.notifiers import webhook
from supervisor.alerts.notifiers.webhook import Webhook, body_of, group_key, signature_of
from supervisor.settings.alerting import WebhookSettings
from tests.fakes.alert_receiver import FIRING, RESOLVED, Receiver
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.server import serving

VERIFICATION = """\
import hashlib
import hmac

def is_genuine(body: bytes, signature: str, secret: str) -> bool:
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())

genuine = is_genuine(request_body, request_headers["X-Understudy-Signature"], secret)
"""
"""What the documentation gives to authors of receivers."""


def message(notice: Notice) -> dict[str, Any]:
    """Read a body as a receiver does."""
    read: dict[str, Any] = json.loads(body_of(notice, "ops"))
    return read


def webhook_of(
    session: aiohttp.ClientSession, url: Any, clock: ManualClock, **more: Any
) -> Webhook:
    """Build one."""
    settings = WebhookSettings.model_validate({"url": url, **more})
    return Webhook.from_settings("ops", settings, session, clock=clock)


def test_a_firing_alert_is_written_as_alertmanager_writes_it():
    """Every key of version 4, and the reason that newer ones send."""
    labels, annotations = dict(FIRING.labels), dict(FIRING.annotations)
    assert message(FIRING) == {
        "version": "4",
        "groupKey": '{}:{alertname="FallbackBroken", group="claude", hop="gemma", severity="page"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": {"alertname": "FallbackBroken"},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://127.0.0.1:8940",
        "notification_reason": "first notification",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": annotations,
                "startsAt": "2026-03-01T12:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://127.0.0.1:8940/paths/claude",
                "fingerprint": "1a30ba71cca2921f",
            }
        ],
    }


def test_a_resolved_alert_has_an_end_and_the_same_group():
    """Receivers close what they opened by the group's key or the fingerprint."""
    firing, resolved = message(FIRING), message(RESOLVED)
    assert (resolved["status"], resolved["alerts"][0]["status"]) == ("resolved", "resolved")
    assert resolved["alerts"][0]["endsAt"] == "2026-03-01T12:07:00Z"
    assert resolved["groupKey"] == firing["groupKey"]
    assert resolved["alerts"][0]["fingerprint"] == firing["alerts"][0]["fingerprint"]


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("first", "first notification"),
        ("new", "new alerts added"),
        ("repeat", "repeat interval elapsed"),
        ("resolved", "all alerts resolved"),
        ("another", "another"),
    ],
)
def test_reasons_are_named_as_alertmanager_names_them(reason: str, sent: str):
    """A receiver that knows its words knows ours; a reason without a word is sent as it is."""
    assert message(replace(FIRING, reason=reason))["notification_reason"] == sent


def test_a_group_key_does_not_depend_on_the_order_of_labels():
    """Two notices of one alert have one key, whatever built them; values are quoted."""
    assert group_key({"b": 'say "x"', "a": "ü"}) == '{}:{a="ü", b="say \\"x\\""}'
    assert group_key({"a": "ü", "b": 'say "x"'}) == group_key({"b": 'say "x"', "a": "ü"})


def test_half_a_character_in_an_annotation_is_sent_all_the_same():
    """A surrogate from somebody's broken reply cannot be UTF-8, but JSON can write it."""
    notice = replace(FIRING, annotations={"summary": "\ud83d"})
    assert b"\\ud83d" in body_of(notice, "ops")


async def test_the_body_is_the_same_at_every_try(session: aiohttp.ClientSession):
    """Byte for byte, with the same delivery id; only the time of the try differs."""
    receiver, clock = Receiver(status=503), ManualClock(NOON)
    async with serving(receiver) as url:
        notifier = webhook_of(session, url, clock)
        assert (await notifier.deliver(FIRING)).result is Result.SERVER_ERROR
        clock.advance(90)
        receiver.status = 200
        assert await notifier.deliver(FIRING) == Receipt(Result.OK, status=200)
    first, second = receiver.came
    assert first.body == second.body
    assert first.headers["x-understudy-delivery"] == "01JZ-delivery-1"
    assert second.headers["x-understudy-delivery"] == "01JZ-delivery-1"
    began_s = int(NOON.timestamp())
    assert first.headers["x-understudy-timestamp"] == str(began_s)
    assert second.headers["x-understudy-timestamp"] == str(began_s + 90)


async def test_the_documented_lines_verify_a_delivery(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """The snippet accepts what arrives, and neither another body nor another secret."""
    monkeypatch.setenv("SIGNING", "s3cret")
    receiver = Receiver()
    async with serving(receiver) as url:
        notifier = webhook_of(session, url, ManualClock(), secret={"env": "SIGNING"})
        assert (await notifier.deliver(FIRING)).result is Result.OK
    [came] = receiver.came
    signature = came.headers["x-understudy-signature"]

    def genuine(body: bytes, secret: str) -> object:
        scope: dict[str, Any] = {
            "request_body": body,
            "request_headers": {"X-Understudy-Signature": signature},
            "secret": secret,
        }
        exec(VERIFICATION, scope)
        return scope["genuine"]

    assert genuine(came.body, "s3cret") is True
    assert genuine(came.body + b" ", "s3cret") is False
    assert genuine(came.body, "another") is False


def test_the_documented_lines_are_those_of_the_module():
    """What is tested here is what its docstring shows."""
    shown = [line.removeprefix("    ") for line in (webhook.__doc__ or "").splitlines()]
    assert VERIFICATION in "\n".join(shown)


def test_a_signature_is_as_another_implementation_makes_it():
    """The vector of RFC 4231, test case 2."""
    assert signature_of(b"what do ya want for nothing?", "Jefe") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


async def test_without_a_secret_nothing_is_signed(session: aiohttp.ClientSession):
    """A signature with an empty key would be worth nothing, and seem to be worth something."""
    receiver = Receiver()
    async with serving(receiver) as url:
        await webhook_of(session, url, ManualClock()).deliver(FIRING)
    assert "x-understudy-signature" not in receiver.came[0].headers
    assert "authorization" not in receiver.came[0].headers


async def test_an_url_from_a_secret_place_is_used_and_never_shown(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
):
    """Its path is what lets anyone in, as with Slack's and Discord's."""
    receiver = Receiver(status=404, echoes=True)
    async with serving(receiver) as url:
        monkeypatch.setenv("PLACE", f"{url}/services/T0K3N/B0T?key=s3cret")
        notifier = webhook_of(session, {"env": "PLACE"}, ManualClock())
        receipt = await notifier.deliver(FIRING)
    assert receiver.came[0].path == "/services/T0K3N/B0T?key=s3cret"
    assert receipt.detail.startswith("HTTP 404: ")
    for secret in ("T0K3N", "B0T?", "s3cret", "services"):
        assert secret not in repr(receipt)


async def test_a_receiver_forgets_no_alert(session: aiohttp.ClientSession):
    """Nothing is sent to keep one alive."""
    notifier: Notifier = webhook_of(session, "http://127.0.0.1:9", ManualClock())
    assert await notifier.keep_alive((FIRING,)) is None
