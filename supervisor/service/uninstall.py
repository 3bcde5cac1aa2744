"""Remove the service: everything that was installed, and nothing of what it remembers."""

from supervisor.service.host import Host, user_exists
from supervisor.service.install import (
    COMMAND,
    SERVICE,
    SOCKET,
    STATE,
    SYSUSERS,
    TMPFILES,
    UNITS,
    USER,
)
from supervisor.settings.model import DEFAULT_FILE
from supervisor.settings.values import CREDENTIALS


def uninstall(host: Host) -> None:
    """Stop the service and remove it; the store stays, with the configuration beside it.

    Raises:
        ServiceError: Something could not be removed.
    """
    installed = [unit for unit in (SERVICE, SOCKET) if host.at(UNITS / unit).exists()]
    if installed:
        # Both in one call: a socket that is left would start the service anew.
        host.run("systemctl", "disable", "--now", "--quiet", *installed)
    for unit in (SERVICE, SOCKET):
        host.remove(UNITS / unit)
        _remove_folder(host, f"{unit}.d")
    if installed:
        host.run("systemctl", "daemon-reload")
    config = host.at(DEFAULT_FILE)
    if config.is_file() and host.at(STATE).is_dir():
        host.write(STATE / DEFAULT_FILE.name, config.read_bytes(), mode=0o600)
    for folder in (CREDENTIALS, DEFAULT_FILE.parent):
        for file in sorted(host.at(folder).glob("*")):
            if not file.is_dir():
                host.remove(folder / file.name)
        host.remove(folder)
    for path in (COMMAND, TMPFILES, SYSUSERS):
        host.remove(path)
    if host.at(STATE).is_dir():
        # Its owner's number may become another user's, who must not read what was remembered.
        host.run("chown", "root:root", str(STATE))
    if user_exists(USER):
        host.run("userdel", USER)


def _remove_folder(host: Host, name: str) -> None:
    folder = UNITS / name
    for file in sorted(host.at(folder).glob("*")):
        host.remove(folder / file.name)
    host.remove(folder)
