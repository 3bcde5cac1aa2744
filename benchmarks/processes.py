"""Start what is measured on a core of its own, and ask the kernel what it used."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_ENDS_WITHIN_S = 15


@dataclass(frozen=True, slots=True)
class Cores:
    """The server's core and the one of everything that keeps it busy; the same if there is one."""

    server: int
    load: int


def cores() -> Cores:
    """Choose two of the cores that we may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(server=usable[0], load=usable[-1])


@contextlib.contextmanager
def staying_on(core: int) -> Iterator[None]:
    """Stay on *core* until exit; what is started meanwhile stays there for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs in a process of its own."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """Tell how much processor time it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """Tell the most memory that it ever held."""
        return peak_mb(self.pid)


def peak_mb(pid: int | str) -> float:
    """Tell the most memory that a living process ever held, in MB (2^20)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(
        int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")
    )


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    core: int,
    url: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server until exit.

    Args:
        url: Where it listens; None if its first line of output says so.
    """
    with staying_on(core):
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE if url is None else subprocess.DEVNULL,
            text=True,
        )
    try:
        if url is None:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"{command} did not start")
        yield Server(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def module(name: str, *arguments: str) -> list[str]:
    """Write the command that runs one of our modules."""
    return [sys.executable, "-m", f"benchmarks.{name}", *arguments]
