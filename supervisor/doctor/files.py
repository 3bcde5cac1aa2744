"""Look at who else may read the secrets, or change the configuration, on this machine."""

import stat
from collections.abc import Iterator
from pathlib import Path

from supervisor.doctor.items import Item, ok, warn
from supervisor.settings.model import Settings
from supervisor.settings.secrets import secrets_of


def files(config: Path | None, settings: Settings) -> Iterator[Item]:
    """Look at the configuration file, and at every file that it names for a secret."""
    trouble = [
        warn(
            "secret_permissions",
            f"everybody on this machine may read {secret.file}, which holds a secret",
            f"chmod o= {secret.file}",
        )
        for secret in secrets_of(settings).values()
        if secret.file is not None and _mode(secret.file.expanduser()) & stat.S_IROTH
    ]
    if config is not None and _mode(config) & stat.S_IWOTH:
        trouble.append(
            warn(
                "config_permissions",
                f"everybody on this machine may write {config}, which says where keys are sent",
                f"chmod o-w {config}",
            )
        )
    yield from trouble or [
        ok("file_permissions", "nobody else may read the secrets or change the configuration")
    ]


def _mode(file: Path) -> int:
    """Ask for the permissions; what is not there is another item's concern."""
    try:
        return file.stat().st_mode
    except OSError:
        return 0
