"""Install the LiteLLM of the lab, in exact versions, into an environment of its own.

    DIRECTORY/
      litellm.lock        held while somebody installs
      litellm/            the environment
        bin/litellm
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
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from chaos.errors import SetupError

LITELLM_VERSION = "1.106.2"
REQUIREMENTS = (f"litellm[proxy]=={LITELLM_VERSION}", "prometheus_client")
CONSTRAINTS = Path(__file__).with_name("litellm-constraints.txt")

_STAMP = "understudy-stamp"
_LAST_LINES = 8
_PROGRESS_EVERY = 30
_LOCK_POLL_S = 0.2
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def default_lab_dir() -> Path:
    """Say where the lab keeps what it installs, unless it is told otherwise."""
    chosen = os.environ.get("UNDERSTUDY_LAB_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "understudy"


def litellm_bin(directory: Path) -> Path | None:
    """Find the ready LiteLLM under *directory*; None if it is missing, half made or outdated."""
    environment = directory.absolute() / "litellm"
    executable = environment / "bin" / "litellm"
    try:
        stamp = (environment / _STAMP).read_text()
    except OSError:
        return None
    # The link breaks when the Python that it leads to is uninstalled.
    alive = executable.exists() and (environment / "bin" / "python").exists()
    return executable if alive and stamp == _stamp(environment) else None


async def prepare(directory: Path, *, say: Callable[[str], None]) -> Path:
    """Make sure that *directory* holds the LiteLLM of the lab, and return its executable.

    Returns in milliseconds when it is there. Of several callers one installs, the others wait.

    Args:
        directory: Made if missing.
        say: Takes lines of progress, for people.
    Raises:
        SetupError: The environment could not be made; the message ends with pip's own words.
    """
    if (ready := litellm_bin(directory)) is not None:
        return ready
    directory = directory.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        async with _locked(directory / "litellm.lock", say=say):
            # Whoever held the lock may have installed it.
            if (ready := litellm_bin(directory)) is not None:
                return ready
            return await _install(directory / "litellm", say=say)
    except OSError as error:
        raise SetupError(
            f"{directory} cannot hold LiteLLM: {error}",
            remedy="Name a directory that you may write to: --dir, or UNDERSTUDY_LAB_DIR.",
        ) from error


async def _install(environment: Path, *, say: Callable[[str], None]) -> Path:
    (environment / _STAMP).unlink(missing_ok=True)
    if environment.exists():
        await asyncio.to_thread(shutil.rmtree, environment)

    say(f"Making an environment for LiteLLM {LITELLM_VERSION} in {environment}")
    await _run(
        [sys.executable, "-m", "venv", str(environment)],
        failed=f"Python could not make an environment in {environment}",
        remedy="Install Python's venv module (on Debian: apt install python3-venv).",
    )

    packages = sum("==" in line for line in CONSTRAINTS.read_text().splitlines())
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
    pip = [str(environment / "bin" / "python"), "-I", "-m", "pip"]
    await _run(
        [
            *pip,
            *("install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"),
            *("--constraint", str(CONSTRAINTS), *REQUIREMENTS),
        ],
        failed=f"pip could not install LiteLLM {LITELLM_VERSION} into {environment}",
        remedy="See that pip reaches its package index from here (pip config list; "
        "HTTPS_PROXY), then try again.",
        follow=follow,
    )

    unfinished = environment / f"{_STAMP}.unfinished"
    unfinished.write_text(_stamp(environment))
    unfinished.rename(environment / _STAMP)
    say(f"LiteLLM {LITELLM_VERSION} is ready")
    return environment / "bin" / "litellm"


def _stamp(environment: Path) -> str:
    """Name all that an environment is made from; another stamp means another environment.

    Its place belongs to it, because scripts in an environment begin with its full path.
    """
    made_from = hashlib.sha256(CONSTRAINTS.read_bytes())
    for part in (*REQUIREMENTS, sys.version.split()[0], str(environment)):
        made_from.update(b"\0" + part.encode())
    return made_from.hexdigest() + "\n"


@contextlib.asynccontextmanager
async def _locked(path: Path, *, say: Callable[[str], None]) -> AsyncIterator[None]:
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
                    say("Waiting for another process that is installing LiteLLM here")
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
