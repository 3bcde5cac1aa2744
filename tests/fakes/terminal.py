"""Run ``understudy`` on a terminal: what it draws can be read, and keys can be pressed."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.commandline import SCRIPT, environment
from tests.patience import PATIENCE_S

CTRL_C = "\x03"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command on a terminal of its own; it leads a session, so that all it starts is known."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self._shown = ""

    @property
    def shown(self) -> str:
        """All that was drawn so far, without control sequences."""
        return CONTROL.sub("", self._shown)

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode())

    def until(self, text: str, within_s: float = PATIENCE_S) -> None:
        """Read until *text* was shown."""
        deadline = time.monotonic() + within_s
        while text not in self.shown:
            assert time.monotonic() < deadline, f"{text!r} is not in:\n{self.shown}"
            assert self._read(1.0), f"it ended without {text!r}:\n{self.shown}"

    def go_away(self, within_s: float = PATIENCE_S) -> int:
        """Close it, as a connection that is lost does; returns the exit code."""
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, self._screen)
        os.close(nowhere)
        return self.process.wait(within_s)

    def end(self, within_s: float = PATIENCE_S) -> int:
        """Read to the end; returns the exit code."""
        deadline = time.monotonic() + within_s
        while self._read(1.0):
            assert time.monotonic() < deadline, self.shown
        return self.process.wait(within_s)

    def left_running(self) -> list[str]:
        """Name the processes of its session that still live."""
        return sorted(_session(self.process.pid))

    def _read(self, within_s: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], within_s)
        if not ready:
            return True
        try:
            data = os.read(self._screen, 1 << 16)
        except OSError:  # the last process with this terminal has gone
            return False
        self._shown += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def on_terminal(*arguments: object, columns: int = 100, **env: str) -> Iterator[Terminal]:
    """Start the script on a terminal; it is killed at exit if it still runs."""
    screen, line = pty.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    settings = {k: v for k, v in environment(TERM="xterm", **env).items() if k != "COLUMNS"}
    try:
        process = subprocess.Popen(
            [str(SCRIPT), *map(str, arguments)],
            stdin=line,
            stdout=line,
            stderr=line,
            env=settings,
            start_new_session=True,
            # Makes Ctrl-C a signal, as on a real terminal; it takes no lock and no memory.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- as said
        )
    finally:
        os.close(line)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def _session(number: int) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            name = (process / "comm").read_text().strip()
        except OSError:
            continue
        if int(fields[3]) == number and fields[0] != "Z":
            yield f"{name} (pid {process.name})"
