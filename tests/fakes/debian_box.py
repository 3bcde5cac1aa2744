"""A whole Debian machine with systemd, in systemd-nspawn: booted, rebooted, and gone with us.

Its root file system is made by debootstrap once and kept in the lab's folder. It shares a network
namespace of its own with the lab, where loopback is all that there is.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S

REPOSITORY = Path(__file__).parents[2]
PACKAGES = "systemd,systemd-sysv,dbus,sudo,python3,python3-venv,procps,iproute2,curl"
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
"""Releases of Debian that are booted, with the Python that each has."""

TOOLS = ("debootstrap", "systemd-nspawn", "nsenter", "ip", "setpriv")
PIP_CONF = "[global]\nno-index = true\nfind-links = /root/wheelhouse\n"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class BoxError(Exception):
    """The machine cannot be made or booted here; the message says why."""


@dataclass
class DebianBox:
    """One machine.

    Attributes:
        root: Its root folder.
        namespace: Its network.
        init: Its first process, as this machine numbers it.
    """

    root: Path
    namespace: str
    process: "subprocess.Popen[bytes] | None" = None
    init: int = 0
    console: Path = field(init=False)

    def __post_init__(self) -> None:
        self.console = self.root.with_name(f"{self.root.name}.console")

    def boot(self) -> None:
        """Boot it, and wait until systemd has started everything."""
        with self.console.open("ab") as console:
            self.process = subprocess.Popen(
                [
                    # It must not outlive the tests, however these end.
                    *("setpriv", "--pdeathsig", "KILL"),
                    *("systemd-nspawn", "--register=no", "--keep-unit", "--quiet"),
                    f"--network-namespace-path=/run/netns/{self.namespace}",
                    *(f"--directory={self.root}", "--console=pipe", "--boot"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        self.init = self._until(self._child)
        self._until(lambda: self.run("systemctl", "is-system-running").stdout.strip() == "running")

    def _child(self) -> int:
        assert self.process is not None
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # Before it has become the machine's first process it is another systemd-nspawn.
        names = [(int(child), Path(f"/proc/{child}/comm")) for child in children]
        return next((pid for pid, name in names if name.read_text().strip() == "systemd"), 0)

    def _until(self, look: Any) -> Any:
        assert self.process is not None
        end = time.monotonic() + PATIENCE_S
        while not (found := look()):
            if self.process.poll() is not None or time.monotonic() > end:
                raise BoxError(f"the machine does not boot:\n{self.console.read_text()[-2000:]}")
            time.sleep(0.1)
        return found

    def stop(self) -> None:
        """Shut it down, as its power button does."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(90)
        self.process.kill()
        self.process.wait()
        self.process = None

    def reboot(self) -> None:
        """Shut it down and boot it anew."""
        self.stop()
        self.boot()

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command as root of the machine, in an environment of a fresh login."""
        clean = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "COLUMNS": "200", **environment}
        return subprocess.run(
            [
                *("nsenter", "--target", str(self.init), "--all", "env", "-i"),
                *(f"{name}={value}" for name, value in clean.items()),
                *("sh", "-c", 'cd && exec "$@"', "sh", *command),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def sh(self, script: str, **environment: str) -> str:
        """Run a script that must succeed; gives what it printed."""
        ran = self.run("bash", "-euo", "pipefail", "-c", script, **environment)
        assert ran.returncode == 0, f"{script}\nexit {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def show(self, *names: str, unit: str = "understudy.service") -> dict[str, str]:
        """Ask systemd about a unit."""
        printed = self.sh(f"systemctl show {unit} --property={','.join(names)}")
        return dict(line.split("=", 1) for line in printed.splitlines())

    def until(self, holds: Any, what: str) -> Any:
        """Wait until *holds* returns something true."""
        end = time.monotonic() + PATIENCE_S
        while not (found := holds()):
            if time.monotonic() > end:
                log = self.run("journalctl", "--unit=understudy", "--lines=30", "--no-pager")
                raise AssertionError(f"never came: {what}\n{log.stdout}")
            time.sleep(0.2)
        return found

    def understudy(self, *arguments: str) -> Any:
        """Ask the installed command for JSON."""
        return json.loads(self.run("understudy", *arguments, "--format", "json").stdout)

    def files(self) -> set[str]:
        """List every file, but those of kernel, logs and caches."""
        left_out = {"dev", "proc", "run", "sys", "tmp", "var/log", "var/cache", "var/lib/systemd"}
        found = set()
        for folder, folders, files in os.walk(self.root):
            here = Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if str(here / name) not in left_out]
            found |= {str(here / name) for name in files + folders}
        return found


@contextmanager
def network() -> Iterator[str]:
    """Make a network in which only loopback is there; gives its name."""
    name = f"understudy-{os.getpid()}"
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        _run("ip", "netns", "delete", name)


def debian_root(release: str, cache: Path, folder: Path) -> Path:
    """Copy the root file system of a *release* into *folder*; it is made once, in *cache*.

    Raises:
        BoxError: This machine cannot make or run one.
    """
    made = pristine_root(release, cache)
    root = folder / release
    _run("cp", "--archive", "--reflink=auto", str(made), str(root))
    (root / "etc" / "pip.conf").write_text(PIP_CONF)
    # debootstrap has left the name of this machine there.
    (root / "etc" / "hostname").write_text("spark\n")
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost spark\n::1 localhost\n")
    return root


def pristine_root(release: str, cache: Path) -> Path:
    """Make the root file system of a *release* in *cache*, unless it is there: nobody changes it.

    Raises:
        BoxError: This machine cannot make or run one.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise BoxError(f"{', '.join(missing)} not found: make test-box installs what is missing")
    if os.geteuid() != 0:
        raise BoxError("only root can boot a machine")
    made = cache / f"{release}-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}"
    if not made.is_dir():
        unfinished = made.with_name(f"{made.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        include = f"--include={PACKAGES}"
        _run("debootstrap", "--variant=minbase", include, release, str(unfinished))
        unfinished.rename(made)
    return made


def wheelhouse(release: str, cache: Path, wheel: Path) -> Path:
    """Fetch everything that *wheel* needs on a *release*; what is there is not fetched again."""
    version = PYTHONS[release]
    folder = cache / f"wheelhouse-{version}"
    script = str(REPOSITORY / ".ci" / "wheelhouse.py")
    _run(sys.executable, script, str(folder), "--python", version, "--wheel", str(wheel))
    (folder / wheel.name).unlink(missing_ok=True)
    return folder


def understudy_wheel(folder: Path, version: str, source: Path = REPOSITORY) -> Path:
    """Build the wheel of a clone, called *version*."""
    _run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", str(folder), str(source)),
        SETUPTOOLS_SCM_PRETEND_VERSION=version,
    )
    return folder / f"understudy-{version}-py3-none-any.whl"


def _run(*command: str, **environment: str) -> None:
    ran = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        words = (ran.stdout + ran.stderr)[-2000:]
        raise BoxError(f"{' '.join(command)}: exit {ran.returncode}\n{words}")
