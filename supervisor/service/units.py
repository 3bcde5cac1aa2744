"""The unit files as this machine needs them, from those in ``deploy/systemd``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.settings.model import Settings

EXECUTABLE = "/opt/understudy/bin/understudy"
"""As the files in ``deploy/systemd`` name it."""

NOTIFY_RELOAD_SINCE = 253
RESTART_STEPS_SINCE = 254

_CREDENTIALS_HERE = "# One LoadCredential=NAME:FILE for each secret that the configuration names.\n"
_LISTENS_HERE = "ListenStream=127.0.0.1:8941\n"


@dataclass(frozen=True, slots=True)
class Machine:
    """What the units depend on.

    Attributes:
        systemd: Its version.
        executable: ``understudy`` of the installation that the service runs.
        version: Of that installation: a new one is a changed unit, and so a restart.
    """

    systemd: int
    executable: Path
    version: str


def source(name: str) -> str:
    """Read a file of ``deploy/systemd``: beside this one in a wheel, at its place in a clone."""
    packaged = Path(__file__).parent / "systemd"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[2] / "deploy" / "systemd"
    return (folder / name).read_text("utf-8")


def service_unit(machine: Machine, credentials: Mapping[str, Path]) -> str:
    """Write ``understudy.service``.

    Args:
        credentials: The file that systemd reads, by the credential's name.
    """
    unit = source("understudy.service").replace(EXECUTABLE, str(machine.executable))
    loads = "".join(f"LoadCredential={name}:{file}\n" for name, file in credentials.items())
    unit = unit.replace(_CREDENTIALS_HERE, loads or "# No secret is named.\n")
    if machine.systemd < NOTIFY_RELOAD_SINCE:
        reload = "ExecReload=/bin/kill -HUP $MAINPID\n"
        unit = unit.replace("Type=notify-reload\n", "Type=notify\n")
        unit = unit.replace("ExecReload=", f"{reload}ExecReload=", 1)
    if machine.systemd < RESTART_STEPS_SINCE:
        newer = ("RestartSteps=", "RestartMaxDelaySec=")
        unit = "".join(line for line in unit.splitlines(True) if not line.startswith(newer))
    return _head(machine) + unit


def socket_unit(machine: Machine, settings: Settings) -> str:
    """Write ``understudy-witness.socket``."""
    listens = "".join(f"ListenStream={address}\n" for address in settings.witness.listen)
    return _head(machine) + source("understudy-witness.socket").replace(_LISTENS_HERE, listens)


def _head(machine: Machine) -> str:
    return (
        f"# Written by 'understudy service install' of Understudy {machine.version}.\n"
        "# Your own changes belong in a file beside this one, which outlives an upgrade:\n"
        "# systemctl edit understudy\n\n"
    )
