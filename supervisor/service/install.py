"""Install the service, or bring it up to date: every step is reported, and undone on failure.

user ─► folders ─► configuration ─► credentials ─► units ─► start, and wait until it is ready
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import UsageError
from supervisor.service.host import Host, ServiceError, problems_at_once, user_exists
from supervisor.service.machine import is_hidden
from supervisor.service.secrets import credentials_of
from supervisor.service.units import Machine, service_unit, socket_unit, source
from supervisor.settings.file import parse_settings
from supervisor.settings.model import DEFAULT_FILE, Settings
from supervisor.settings.values import CREDENTIALS

SERVICE, SOCKET = "understudy.service", "understudy-witness.socket"
UNITS = Path("/etc/systemd/system")
SYSUSERS = Path("/etc/sysusers.d/understudy.conf")
TMPFILES = Path("/etc/tmpfiles.d/understudy.conf")
COMMAND = Path("/usr/local/bin/understudy")
STATE = Path("/var/lib/understudy")
USER = "understudy"
STORE = f"sqlite:///{STATE / 'understudy.db'}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be installed.

    Attributes:
        machine: What the units depend on.
        config: The configuration's text.
        name: Where that comes from, for messages.
        environment: Where variables are taken from that the configuration names.
    """

    machine: Machine
    config: str
    name: str
    environment: Mapping[str, str]


def install(host: Host, wish: Wish) -> None:
    """Install, start, and wait until the daemon is ready.

    Raises:
        UsageError: The configuration is broken.
        ServiceError: A step failed; everything before it was undone.
    """
    config, problems = with_store(wish.config, wish.name)
    settings = parse_settings(config, name=wish.name)
    credentials = credentials_of(settings, wish.environment, folder=host.at(CREDENTIALS))
    if settings.gateway.url is None:
        problems.append("gateway.url: no gateway is named")
    problems += hidden_files(settings)
    problems_at_once([*problems, *credentials.problems], f"{wish.name} as a service")
    running = active(host)
    with host.undo:
        if not host.dry:
            host.undo.callback(_start_again, host, running=running)
        _user_and_folders(host)
        _configuration(host, config)
        for name, secret in credentials.written.items():
            content = f"{secret.get_secret_value()}\n".encode()
            host.write(CREDENTIALS / name, content, mode=0o600, secret=True)
        held = _read(host, UNITS / SOCKET)
        socket = socket_unit(wish.machine, settings)
        host.write(UNITS / SERVICE, service_unit(wish.machine, credentials.files).encode())
        host.write(UNITS / SOCKET, socket.encode())
        host.link(COMMAND, wish.machine.executable)
        if not host.dry:
            host.undo.callback(_stop, host, enabled=held is not None)
        _start(host, moved=held is not None and _listens(held) != _listens(socket))
        host.undo.pop_all()


def _user_and_folders(host: Host) -> None:
    new = not user_exists(USER)
    host.write(SYSUSERS, source("understudy.sysusers").encode())
    if new and not host.dry:
        host.undo.callback(host.attempt, "userdel", USER)
    host.run("systemd-sysusers", str(SYSUSERS))
    host.write(TMPFILES, source("understudy.tmpfiles").encode())
    for folder in (CREDENTIALS.parent, CREDENTIALS):
        host.undo.callback(_remove_empty, host.at(folder))
    host.run("systemd-tmpfiles", "--create", str(TMPFILES))


def _configuration(host: Host, config: str) -> None:
    """Write the configuration; one that somebody has changed since is kept beside it."""
    before = _read(host, DEFAULT_FILE)
    if before is not None and before != config:
        kept = DEFAULT_FILE.with_name(f"{DEFAULT_FILE.name}.before")
        host.write(kept, before.encode(), mode=0o640, group=USER)
    host.write(DEFAULT_FILE, config.encode(), mode=0o640, group=USER)


def _start(host: Host, *, moved: bool) -> None:
    """Start what is not running, and restart what has changed.

    Args:
        moved: The socket unit listens elsewhere than before.
    """
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--quiet", SOCKET, SERVICE)
    if moved:
        # A socket does not move while its service runs.
        host.run("systemctl", "stop", SERVICE, SOCKET)
    host.run(
        *("systemctl", "start", SOCKET),
        wrong="the witness's port cannot be held",
        remedy="End what listens there (an 'understudy run' of your own?), or change "
        "witness.listen. Everything was put back.",
    )
    try:
        host.run("systemctl", "restart" if host.changed else "start", SERVICE)
    except ServiceError as error:
        words = host.run(
            *("journalctl", "--identifier", USER, "--lines", "4", "--output", "cat", "--no-pager"),
            shown=False,
        )
        raise ServiceError(
            f"the daemon does not start; it says:\n{words.rstrip()}",
            remedy="Mend that, and run this again; everything was put back.",
        ) from error


def _stop(host: Host, *, enabled: bool) -> None:
    """Stop what could not be started; the files are put back after this."""
    host.attempt("systemctl", "stop", SERVICE, SOCKET)
    if not enabled:
        host.attempt("systemctl", "disable", "--quiet", SOCKET, SERVICE)
    host.attempt("systemctl", "reset-failed", SERVICE, SOCKET)


def _start_again(host: Host, *, running: bool) -> None:
    """Go on with what ran before; the files have been put back before this."""
    host.attempt("systemctl", "daemon-reload")
    if running:
        host.attempt("systemctl", "start", SOCKET, SERVICE)


def active(host: Host) -> bool:
    """Report whether the service runs."""
    try:
        return host.run("systemctl", "is-active", SERVICE, shown=False).strip() == "active"
    except ServiceError:
        return False


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _read(host: Host, path: Path) -> str | None:
    file = host.at(path)
    return file.read_text("utf-8") if file.is_file() else None


def _listens(unit: str) -> list[str]:
    return [line for line in unit.splitlines() if line.startswith("ListenStream=")]


def with_store(config: str, name: str) -> tuple[str, list[str]]:
    """Name the service's store in *config*, so that commands outside of it find it too.

    Returns:
        The text, and what is wrong if it cannot be named.
    """
    if parse_settings(config, name=name).store.url is not None:
        return config, []
    text = f"{config.rstrip()}\n\n# Where the service remembers.\nstore:\n  url: {STORE}\n"
    try:
        named = parse_settings(text, name=name).store.url is not None
    except UsageError:  # The file is one pair of braces.
        named = False
    if not named or re.search(r"(?m)^store\s*:", config):
        return config, [f"store.url: not set; write {STORE} under store:"]
    return text, []


def hidden_files(settings: Settings) -> list[str]:
    """List the files that the configuration names and the sandbox hides."""
    named = {
        "twin.litellm_config": settings.twin.litellm_config,
        "twin.litellm_bin": settings.twin.litellm_bin,
        **{f"engines.{name}.log": engine.log for name, engine in settings.engines.items()},
        **{f"engines.{name}.python": engine.python for name, engine in settings.engines.items()},
    }
    return [
        f"{setting}: {path}: services cannot see this folder"
        for setting, path in named.items()
        if path is not None and is_hidden(path)
    ]
