"""Ways to send an alert.

To add one: a new file here with a class that keeps ``supervisor.alerts.notifier.Notifier`` and is
built by ``from_settings``, a section in supervisor/settings/alerting.py, and one line below. The
contract tests in tests/supervisor/alerts/notifiers/test_registry.py then ask for an example of it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import aiohttp

from chaos.errors import UsageError
from supervisor.alerts.notifier import Notifier
from supervisor.alerts.notifiers.alertmanager import Alertmanager
from supervisor.alerts.notifiers.apprise import Apprise
from supervisor.alerts.notifiers.webhook import Webhook
from supervisor.settings.alerting import NotifierSettings


class Build(Protocol):
    """Builds one kind from the user's name for it and its section; raises ``UsageError``."""

    def __call__(
        self, name: str, section: Any, session: aiohttp.ClientSession, /, *, deadline_s: float = ...
    ) -> Notifier: ...


KINDS: Mapping[str, Build] = MappingProxyType(
    {
        "webhook": Webhook.from_settings,
        "alertmanager": Alertmanager.from_settings,
        "apprise": Apprise.from_settings,
    }
)
"""By the key of its section."""


def notifiers_of(
    settings: Mapping[str, NotifierSettings], session: aiohttp.ClientSession
) -> dict[str, Notifier]:
    """Build every notifier with its secrets, by the user's name for it.

    Args:
        session: Made by ``chaos.http_client.open_session``; closed by the caller.

    Raises:
        UsageError: A secret is missing, or an address cannot be used; names the notifier.
    """
    return {name: _built(name, section, session) for name, section in settings.items()}


def _built(name: str, settings: NotifierSettings, session: aiohttp.ClientSession) -> Notifier:
    kind = settings.kinds[0]
    try:
        return KINDS[kind](name, getattr(settings, kind), session)
    except UsageError as error:
        raise UsageError(f"notifiers.{name}: {error.message}", remedy=error.remedy) from error
