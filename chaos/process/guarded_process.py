"""A process of ours that cannot outlive us, whatever it starts itself and however we end.

    we ──pipe──► guard (sh): when the pipe ends, remove what must not stay, kill the group
     └─starts──► the process, leader of that group

The pipe ends when we close it and also when we are killed, so nothing has to be alive and well
for the process to go.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.errors import SetupError
from chaos.process.ports import holder

HOST = "127.0.0.1"
LAST_LINES = 30
STOP_WITHIN_S = 5.0
POLL_EVERY_S = 0.05

# Runs as the leader of a new process group with our pipe as its standard input. The shell that
# it leaves behind is in the group too, so that one kill takes everything, workers included.
# It removes the files that it was told of and then their folder, if nothing else is in it.
_GUARD_SCRIPT = (
    'read -r _; folder=$1; shift; rm -f -- "$@"; rmdir -- "$folder" 2>/dev/null; kill -KILL 0'
)
_GUARD = f"""
import os, sys
count = int(sys.argv[1])
left, command = sys.argv[2 : 2 + count], sys.argv[2 + count :]
if os.fork() == 0:
    guard = {_GUARD_SCRIPT!r}
    os.execv("/bin/sh", ["sh", "-c", guard, "sh", *left])
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.execv(command[0], command)
"""

# All that it sees of our environment: no provider's key, no proxy, nothing of ours.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")


@dataclass(slots=True)
class GuardedProcess:
    """A process that runs, or has ended.

    Attributes:
        pid: Its process id, which is its process group's too.
        log_path: Everything that it says.
    """

    pid: int
    log_path: Path
    _process: asyncio.subprocess.Process = field(repr=False)
    _lifeline: int = field(repr=False)

    @property
    def running(self) -> bool:
        """It has not ended."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; negative for a signal, None while it runs."""
        return self._process.returncode

    async def stop(self, *, tidy_within_s: float = 0.0) -> None:
        """End it and all that it started; does nothing when that is done.

        Args:
            tidy_within_s: How long what it started may go on after it, to tidy up: shared memory
                outlives its processes.
        """
        if self._lifeline < 0:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN_S):
                    if self.running:
                        self._process.terminate()
                        await self._process.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(tidy_within_s):
                    while _members(self.pid):  # noqa: ASYNC110 -- the kernel has no Event
                        await asyncio.sleep(POLL_EVERY_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.close(self._lifeline)
            self._lifeline = -1
        await self._process.wait()

    def last_words(self) -> str:
        """Quote the end of its log, for an error message."""
        lines = self.log_path.read_text("utf-8", errors="replace").splitlines()
        last = [line for line in lines if line.strip()][-LAST_LINES:]
        return "\n".join(f"  {line}" for line in last) or "  nothing"


async def start(
    command: Sequence[str],
    *,
    directory: Path,
    log_path: Path,
    environment: Mapping[str, str],
    remove: Sequence[Path] = (),
) -> GuardedProcess:
    """Start *command* in *directory*; the caller stops it.

    Args:
        log_path: Begun anew; readable by us alone.
        environment: Added to the few variables of ours that it is given.
        remove: Files that must not be left behind if we are killed; *directory* goes with them,
            if nothing else is in it.
    """
    write_private(log_path, "")
    # Never a whole tree: what is in it that we did not write is not ours to remove.
    left = [str(path.absolute()) for path in (directory, *remove)] if remove else [""]
    ours, lifeline = os.pipe()
    try:
        with log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _GUARD, str(len(left)), *left),
                *command,
                stdin=ours,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                cwd=directory,
                env={
                    **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                    "HOME": str(directory.absolute()),
                    **environment,
                },
                start_new_session=True,
            )
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(ours)
    return GuardedProcess(pid=process.pid, log_path=log_path, _process=process, _lifeline=lifeline)


def _members(group: int) -> list[int]:
    """List the processes of *group* that run, our guard apart.

    Source: ``/proc/PID/stat``: state and process group are the first and the third field after
    the name in brackets.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) != group or fields[0] in "ZX":
                continue
            if _GUARD_SCRIPT.encode() not in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def write_private(path: Path, text: str) -> None:
    """Write *text* where only we can read it."""
    # An old file may be readable by others, and would stay so.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


@contextlib.contextmanager
def held_port(port: int | None, *, of: str) -> Iterator[int]:
    """Keep a port for a process until exit, a free one if *port* is None.

    A socket that is bound and does not listen keeps the port from everybody who asks for any
    free one, but not from a server that asks for this one by name with ``SO_REUSEADDR``.

    Raises:
        SetupError: Somebody else has it; names *of*, for whom it was meant.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((HOST, port or 0))
        except OSError as error:
            raise SetupError(
                f"port {port} for {of} is taken by {holder(port or 0)}",
                remedy="End that process, or name another port.",
            ) from error
        yield held.getsockname()[1]
