"""A webhook: each transition as a POST in Alertmanager's webhook format, version 4.

Headers:
    X-Understudy-Delivery: the transition's id, the same at every try.
    X-Understudy-Timestamp: Unix seconds of this try.
    X-Understudy-Signature: with a secret: ``sha256=`` and the HMAC-SHA256 of the body.

A body is made of the notice alone, so it is the same at every try, byte for byte, and receivers
can verify it as it came, before they read it as JSON:

    import hashlib
    import hmac

    def is_genuine(body: bytes, signature: str, secret: str) -> bool:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode())

    genuine = is_genuine(request_body, request_headers["X-Understudy-Signature"], secret)

Example:
    notifiers: {ops: {webhook: {url: "https://ops.example/understudy", secret: {env: SECRET}}}}
"""

import hashlib
import hmac
import json
from collections.abc import Mapping

import aiohttp

from chaos.clock import Clock, SystemClock
from supervisor.alerts.endpoint import DEADLINE_S, Endpoint, rfc3339
from supervisor.alerts.notifier import Notice, Receipt
from supervisor.settings.alerting import WebhookSettings

NEVER = "0001-01-01T00:00:00Z"
"""When a firing alert ends: Go's zero time, as Alertmanager writes it."""

REASONS = {
    "first": "first notification",
    "new": "new alerts added",
    "repeat": "repeat interval elapsed",
    "resolved": "all alerts resolved",
}
"""Why it is sent, in Alertmanager's words. Source: ``NotifyReason`` in its notify/notify.go."""


class Webhook:
    """A receiver of Alertmanager's webhook format.

    Args:
        name: The user's name for it, and ``receiver`` in the body.
        secret: Signs each body.
    """

    def __init__(
        self, name: str, endpoint: Endpoint, *, secret: str | None = None, clock: Clock
    ) -> None:
        self._name = name
        self._endpoint = endpoint
        self._secret = secret
        self._clock = clock

    @classmethod
    def from_settings(
        cls,
        name: str,
        settings: WebhookSettings,
        session: aiohttp.ClientSession,
        *,
        clock: Clock | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> "Webhook":
        """Build it with its secrets.

        Raises:
            UsageError: A secret is missing, or its URL cannot be used.
        """
        clock = clock or SystemClock()
        secret = settings.secret.reveal().get_secret_value() if settings.secret else None
        token = settings.token.reveal().get_secret_value() if settings.token else None
        endpoint = Endpoint(
            session,
            settings.url.reveal().get_secret_value(),
            token=token,
            secrets=(secret,) if secret else (),
            clock=clock,
            deadline_s=deadline_s,
        )
        return cls(name, endpoint, secret=secret, clock=clock)

    @property
    def name(self) -> str:
        """The user's name for it."""
        return self._name

    async def deliver(self, notice: Notice, /) -> Receipt:
        """Send it once."""
        body = body_of(notice, self._name)
        headers = {
            "x-understudy-delivery": notice.delivery,
            "x-understudy-timestamp": str(int(self._clock.now().timestamp())),
        }
        if self._secret:
            headers["x-understudy-signature"] = signature_of(body, self._secret)
        return await self._endpoint.post(body, headers)

    async def keep_alive(self, _: tuple[Notice, ...], /) -> None:
        """Do nothing: a receiver forgets no alert on its own."""


def signature_of(body: bytes, secret: str) -> str:
    """Sign *body*, as the header carries it. Pure."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def body_of(notice: Notice, receiver: str) -> bytes:
    """Write the body: the same bytes for the same notice. Pure."""
    status = "firing" if notice.firing else "resolved"
    labels, annotations = dict(notice.labels), dict(notice.annotations)
    message = {
        "version": "4",
        "groupKey": group_key(notice.labels),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": {"alertname": notice.alertname},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": notice.external_url,
        "notification_reason": REASONS.get(notice.reason, notice.reason),
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": rfc3339(notice.starts_at),
                "endsAt": rfc3339(notice.ends_at) if notice.ends_at else NEVER,
                "generatorURL": notice.generator_url,
                "fingerprint": notice.fingerprint,
            }
        ],
    }
    return json.dumps(message, separators=(",", ":")).encode()


def group_key(labels: Mapping[str, str]) -> str:
    """Name an alert by its labels, whatever their order: ``{}:{alertname="X", group="g"}``."""
    pairs = (f"{name}={json.dumps(labels[name], ensure_ascii=False)}" for name in sorted(labels))
    return f"{{}}:{{{', '.join(pairs)}}}"
