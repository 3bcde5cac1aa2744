"""An environment of exact versions that is made once, or not at all.

    DIRECTORY/
      NAME.lock           held while somebody installs
      NAME/               the environment
        bin/COMMAND
        understudy-stamp  written last: what the environment was made from

An environment cannot be moved, so it is built where it stays. It counts only with its stamp,
and the stamp is removed before anything else is touched: an install that was killed at any
point is no environment, and the next call begins anew.
"""

import asyncio
import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import SetupError

_STAMP = "understudy-stamp"
_LAST_LINES = 8
_PROGRESS_EVERY = 30
_LOCK_POLL_S = 0.2
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)

Say = Callable[[str], None]


def default_folder() -> Path:
    """Name the folder that holds what we install: ``$UNDERSTUDY_LAB_DIR``, else the cache."""
    chosen = os.environ.get("UNDERSTUDY_LAB_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "understudy"


def nothing_more(environment: Path) -> None:
    """Leave an environment as pip made it."""
    del environment


@dataclass(frozen=True, slots=True)
class Environment:
    """What is to be installed.

    Attributes:
        name: Its folder.
        title: What it is, with its version, for people.
        command: The executable that it is made for.
        pip: What ``pip install`` is told.
        versions: The file that pins them.
        finish: Done to the environment after pip has.
        remedy: What helps where pip fails.
        by_uv: uv may install it, where there is one; not what pip alone finds.
    """

    name: str
    title: str
    command: str
    pip: tuple[str, ...]
    versions: Path
    remedy: str
    finish: Callable[[Path], None] = nothing_more
    by_uv: bool = True

    def ready(self, directory: Path) -> Path | None:
        """Find its executable under *directory*; None if missing, half made or outdated."""
        place = directory.absolute() / self.name
        executable = place / "bin" / self.command
        try:
            stamp = (place / _STAMP).read_text()
        except OSError:
            return None
        # The link breaks when the Python that it leads to is uninstalled.
        alive = executable.exists() and (place / "bin" / "python").exists()
        return executable if alive and stamp == self._stamp(place) else None

    async def prepare(self, directory: Path, *, say: Say) -> Path:
        """Make sure that *directory* holds it, and return its executable.

        Returns in milliseconds when it is there. Of several callers one installs, the others
        wait.

        Args:
            directory: Made if missing.
            say: Takes lines of progress, for people.
        Raises:
            SetupError: It could not be made; the message ends with pip's own words.
        """
        if (found := self.ready(directory)) is not None:
            return found
        directory = directory.absolute()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            async with _locked(directory / f"{self.name}.lock", what=self.title, say=say):
                # Whoever held the lock may have installed it.
                if (found := self.ready(directory)) is not None:
                    return found
                return await self._install(directory / self.name, say=say)
        except OSError as error:
            raise SetupError(
                f"{directory} cannot hold {self.title}: {error}",
                remedy="Name a directory that you may write to: --dir, or UNDERSTUDY_LAB_DIR.",
            ) from error

    async def _install(self, place: Path, *, say: Say) -> Path:
        (place / _STAMP).unlink(missing_ok=True)
        if place.exists():
            await asyncio.to_thread(shutil.rmtree, place)

        say(f"Making an environment for {self.title} in {place}")
        began_s = time.monotonic()
        uv = _uv() if self.by_uv else None
        if uv is None or not await self._with_uv(uv, place, say=say):
            await self._with_pip(place, say=say)
        await asyncio.to_thread(self.finish, place)

        unfinished = place / f"{_STAMP}.unfinished"
        unfinished.write_text(self._stamp(place))
        unfinished.rename(place / _STAMP)
        say(f"{self.title} is ready, after {time.monotonic() - began_s:.0f} s")
        return place / "bin" / self.command

    async def _with_uv(self, uv: str, place: Path, *, say: Say) -> bool:
        """Install with uv, in a fraction of the time; False where it could not, for pip to try."""
        await self._make(place, "--without-pip")

        def follow(line: str) -> None:
            if line.startswith(("Resolved ", "Installed ")):
                say(line)

        try:
            await _run(
                [
                    *(uv, "pip", "install", "--python", str(place / "bin" / "python")),
                    *("--compile-bytecode", "--no-progress", *self.pip),
                ],
                failed="uv could not install it",
                remedy=self.remedy,
                follow=follow,
            )
        except SetupError as error:
            say(f"{error.message}\nTrying with pip")
            await asyncio.to_thread(shutil.rmtree, place)
            return False
        return True

    async def _with_pip(self, place: Path, *, say: Say) -> None:
        await self._make(place)
        packages = sum("==" in line for line in self.versions.read_text().splitlines())
        collected = 0

        def follow(line: str) -> None:
            nonlocal collected
            if line.startswith(("Collecting ", "Processing ")):  # From an index; from a file.
                collected += 1
                if collected % _PROGRESS_EVERY == 0:
                    say(f"Fetched {collected} of about {packages} packages")
            elif line.startswith("Installing collected packages"):
                say(f"Installing {collected} packages")

        # -I: a PYTHONPATH of the caller must not decide what is installed.
        pip = [str(place / "bin" / "python"), "-I", "-m", "pip", "install"]
        await _run(
            [
                *pip,
                *("--disable-pip-version-check", "--no-input", "--progress-bar=off"),
                *self.pip,
            ],
            failed=f"pip could not install {self.title} into {place}",
            remedy=self.remedy,
            follow=follow,
        )

    async def _make(self, place: Path, *options: str) -> None:
        await _run(
            [sys.executable, "-m", "venv", str(place), *options],
            failed=f"Python could not make an environment in {place}",
            remedy="Install Python's venv module (on Debian: apt install python3-venv).",
        )

    def _stamp(self, place: Path) -> str:
        """Name all that an environment is made from; another stamp means another environment.

        Its place belongs to it, because scripts in an environment begin with its full path.
        """
        made_from = hashlib.sha256(self.versions.read_bytes())
        # What the file of versions says counts, and not where this installation has it: another
        # clone, or an upgrade, makes nothing anew.
        options = (part for part in self.pip if part != str(self.versions))
        for part in (*options, sys.version.split()[0], str(place)):
            made_from.update(b"\0" + part.encode())
        return made_from.hexdigest() + "\n"


def _uv() -> str | None:
    """Find uv beside our Python or on the path; None where pip was given an index of its own.

    Of that uv would know nothing, and would ask the public one.
    """
    if os.environ.get("PIP_INDEX_URL") or os.environ.get("PIP_NO_INDEX"):
        return None
    own = Path(sys.executable).with_name("uv")
    return str(own) if own.exists() else shutil.which("uv")


@contextlib.asynccontextmanager
async def _locked(path: Path, *, what: str, say: Say) -> AsyncIterator[None]:
    """Hold *path* alone among all processes; the system lets go of it when we die."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        waiting = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waiting:
                    say(f"Waiting for another process that is installing {what} here")
                waiting = True
                await asyncio.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


async def _run(
    command: Iterable[str],
    *,
    failed: str,
    remedy: str,
    follow: Callable[[str], None] | None = None,
) -> None:
    """Run *command* to its end, and take it down with us if we are stopped before.

    Raises:
        SetupError: It ended with another code than 0; says *failed* and its last lines.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid()),
    )
    assert process.stdout is not None  # noqa: S101 -- asked for above
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        async for raw in process.stdout:
            line = raw.decode(errors="replace").strip()
            if line and not line.startswith("WARNING:"):
                last.append(line)
            if follow is not None:
                follow(line)
        code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if code != 0:
        said = "\n".join(f"  {line}" for line in last)
        raise SetupError(f"{failed} (exit code {code}):\n{said}", remedy=remedy)


def _die_with(parent: int) -> Callable[[], None]:
    """Make what a child does first: ask the kernel to kill it when *parent* has gone."""

    def ask() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It went before we could ask.
            os._exit(1)

    return ask
