"""An Alertmanager, by its API version 2, as Prometheus uses it.

A firing alert ends four minutes from now, and is sent again before that for as long as it fires:
the alerts of a daemon that is dead resolve, as those of a dead Prometheus do.

Example:
    notifiers: {alertmanager: {alertmanager: {url: "http://127.0.0.1:9093"}}}

Source: Prometheus, ``sendAlerts`` (four times its resend delay of a minute); Alertmanager 0.25,
    api/v2/openapi.yaml.
"""

import json
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from chaos.clock import Clock, SystemClock
from chaos.errors import UsageError
from supervisor.alerts.endpoint import DEADLINE_S, Endpoint, rfc3339
from supervisor.alerts.notifier import Notice, Receipt, Result
from supervisor.settings.alerting import AlertmanagerSettings

ENDS_AFTER = timedelta(minutes=4)
MOST_AT_ONCE = 64


class Alertmanager:
    """An Alertmanager.

    Args:
        name: The user's name for it.
    """

    def __init__(self, name: str, endpoint: Endpoint, clock: Clock) -> None:
        self._name = name
        self._endpoint = endpoint
        self._clock = clock

    @classmethod
    def from_settings(
        cls,
        name: str,
        settings: AlertmanagerSettings,
        session: aiohttp.ClientSession,
        *,
        clock: Clock | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> "Alertmanager":
        """Build it with its token.

        Raises:
            UsageError: The token is missing, or its URL is more than a root.
        """
        if "?" in settings.url or "#" in settings.url:
            raise UsageError(
                "its URL has a query or a fragment",
                remedy="Name its root, such as http://127.0.0.1:9093.",
            )
        clock = clock or SystemClock()
        endpoint = Endpoint(
            session,
            f"{settings.url.rstrip('/')}/api/v2/alerts",
            token=settings.token.reveal().get_secret_value() if settings.token else None,
            clock=clock,
            deadline_s=deadline_s,
        )
        return cls(name, endpoint, clock)

    @property
    def name(self) -> str:
        """The user's name for it."""
        return self._name

    async def deliver(self, notice: Notice, /) -> Receipt:
        """Send it once."""
        return await self._post((notice,))

    async def keep_alive(self, firing: tuple[Notice, ...], /) -> Receipt | None:
        """Send all that fires again; None if nothing does.

        Returns:
            The first receipt that is not ok, if there is one. A refused request does not keep
            the next from being sent; one that should be tried again does.
        """
        outcome: Receipt | None = None
        for start in range(0, len(firing), MOST_AT_ONCE):
            receipt = await self._post(firing[start : start + MOST_AT_ONCE])
            if outcome is None or outcome.result is Result.OK:
                outcome = receipt
            if not receipt.result.is_final:
                break
        return outcome

    async def _post(self, notices: tuple[Notice, ...]) -> Receipt:
        now = self._clock.now()
        return await self._endpoint.post(json.dumps([alert_of(n, now) for n in notices]).encode())


def alert_of(notice: Notice, now: datetime) -> dict[str, Any]:
    """Write one alert as Alertmanager takes it. Pure."""
    ends_at = now + ENDS_AFTER if notice.firing else notice.ends_at or now
    alert = {
        # An empty label is no label to Alertmanager, which refuses some of them.
        "labels": {name: value for name, value in notice.labels.items() if value},
        "annotations": {name: value for name, value in notice.annotations.items() if value},
        "startsAt": rfc3339(notice.starts_at),
        # After a clock was set back; Alertmanager refuses what ends before it starts.
        "endsAt": rfc3339(max(ends_at, notice.starts_at)),
    }
    return {**alert, "generatorURL": notice.generator_url} if notice.generator_url else alert
