"""Which secrets become credentials of the service: all of them, wherever they are named.

A variable that is set is kept in a file for root alone, where it is not there yet; a file is read
by systemd, as root, at each start. So one configuration works by hand and as a service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from chaos.errors import UsageError
from supervisor.settings.model import Settings
from supervisor.settings.secrets import secrets_of
from supervisor.settings.values import CREDENTIALS, Secret


@dataclass(slots=True)
class Credentials:
    """What systemd is to hand to the service.

    Attributes:
        files: The file that systemd reads, by the credential's name.
        written: What is to be written into some of these files, by the credential's name.
        problems: Secrets that are nowhere, in words.
    """

    files: dict[str, Path] = field(default_factory=dict)
    written: dict[str, SecretStr] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def credentials_of(
    settings: Settings, environment: Mapping[str, str], *, folder: Path = CREDENTIALS
) -> Credentials:
    """Find every secret of *settings*.

    Args:
        folder: Where credentials are kept.
    """
    found = Credentials()
    for setting, secret in secrets_of(settings).items():
        name = secret.credential_name
        file = secret.file.expanduser() if secret.file is not None else CREDENTIALS / name
        if found.files.setdefault(name, file) != file:
            found.problems.append(f"{setting}: {file} and {found.files[name]} have one name")
            continue
        problem = _take(found, name, secret, environment, folder)
        if problem is not None:
            found.problems.append(f"{setting}: {problem}")
    return found


def _take(
    found: Credentials,
    name: str,
    secret: Secret,
    environment: Mapping[str, str],
    folder: Path,
) -> str | None:
    """Note where one secret comes from; say what is wrong with it, if something is."""
    if secret.env is not None and environment.get(secret.env):
        try:
            found.written[name] = secret.reveal()
        except UsageError as error:
            return error.message
        return None
    if secret.file is not None:
        file = found.files[name]
        if not file.is_absolute():
            return f"the file {file} is named without its folder: write its whole path"
        return None if file.is_file() else f"the file {file} is not there"
    if (folder / name).is_file():
        return None
    if secret.env is not None:
        return (
            f"{CREDENTIALS / name} is not there: sudo install -D -m 600 /dev/stdin "
            f'{CREDENTIALS / name} <<< "${secret.env}"'
        )
    return f"{CREDENTIALS / name} is not there: write the secret into it, for root alone"
