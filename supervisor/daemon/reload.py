"""A new configuration, all or nothing: what is wrong with it leaves everything as it was."""

from collections.abc import Callable

from chaos.errors import UsageError
from supervisor.settings.client_profile import load_profile
from supervisor.settings.model import Settings
from supervisor.settings.secrets import secrets_of

FIXED: tuple[tuple[str, Callable[[Settings], object]], ...] = (
    ("gateway.url", lambda settings: settings.gateway.url),
    ("witness.listen", lambda settings: settings.witness.listen),
    ("witness.url", lambda settings: settings.witness.url),
    ("daemon.name", lambda settings: settings.daemon.name),
    ("store.url", lambda settings: (settings.store.url, settings.store.password)),
    ("web.listen", lambda settings: settings.web.listen),
    ("web.token", lambda settings: settings.web.token),
    ("web.badges", lambda settings: settings.web.badges),
)
"""What a running daemon cannot change: it holds the port, the file or the name."""


def reloaded(load: Callable[[], Settings], now: Settings) -> Settings:
    """Read the configuration anew, and make sure that a running daemon can go on with it.

    Raises:
        UsageError: The file is broken, a key or a profile is not there, or it needs a restart.
    """
    settings = load()
    fixed = [name for name, of in FIXED if of(settings) != of(now)]
    if fixed:
        raise UsageError(
            f"a running daemon cannot change {', '.join(fixed)}",
            remedy="Restart it for that: systemctl restart understudy; the record is kept.",
        )
    check_secrets(settings)
    return settings


def check_secrets(settings: Settings) -> None:
    """Fetch everything that is named by its place: what is missing would be missed much later.

    Raises:
        UsageError: A key, a secret or a profile is not there.
    """
    for secret in secrets_of(settings).values():
        secret.reveal()
    for own in settings.rehearse.groups.values():
        if own.profile_file is not None:
            load_profile(own.profile_file)
