"""What this machine is: its systemd, who we are on it, and which installation runs."""

import os
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import supervisor
from supervisor.service.host import Host, ServiceError, problems_at_once
from supervisor.service.units import Machine

BOOTED = Path("/run/systemd/system")
"""There only where systemd is the first process (sd_booted(3))."""

HIDDEN = tuple(map(Path, ("/home", "/root", "/run", "/tmp", "/var/tmp")))  # noqa: S108 -- named only
"""Folders that the sandbox hides from the service."""


def check_root(host: Host) -> None:
    """Refuse what cannot work, before anything is changed.

    Raises:
        ServiceError: We are not root, or systemd is not there.
    """
    if host.dry:
        return
    if not BOOTED.is_dir():
        raise ServiceError(
            "systemd does not run this machine",
            remedy="Let what starts services here run: understudy run --config FILE",
        )
    if os.geteuid() != 0:
        raise ServiceError("this changes the machine, and only root may", remedy="Use sudo.")


def this_machine(host: Host) -> Machine:
    """Look at this machine.

    Raises:
        ServiceError: A service could not run this installation.
    """
    executable = Path(sys.prefix) / "bin" / "understudy"
    package = Path(supervisor.__file__).resolve()
    if not host.dry:
        problems_at_once([*unsuitable(executable, package)], "this installation as a service")
    first = host.run("systemctl", "--version", shown=False).split()
    return Machine(int(first[1].split(".")[0]), executable, version("understudy"))


def unsuitable(executable: Path, package: Path) -> Iterator[str]:
    """Say why a service cannot run *executable*, whose program is *package*; nothing if it can."""
    if executable.parent.parent.resolve() not in package.parents:
        yield f"{executable} runs a clone at {package.parents[1]}: install a wheel"
        return
    for path in (executable, package):
        if is_hidden(path):
            yield f"{path}: services cannot see this folder: install into /opt/understudy"
            continue
        closed = [each for each in path.parents if not each.stat().st_mode & stat.S_IXOTH]
        if closed:
            yield f"{closed[-1]}: other users may not enter it: chmod o+x {closed[-1]}"


def is_hidden(path: Path) -> bool:
    """Report whether the sandbox hides *path*."""
    return any(folder in path.parents for folder in HIDDEN)
