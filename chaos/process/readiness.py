"""Wait until a process of ours answers, with progress, and explain why it did not.

A slow machine is the usual reason for a start that takes long, so the limit is generous, the
message names the machine's load beside it, and the log is kept.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import SetupError
from chaos.process.guarded_process import GuardedProcess

START_WITHIN_S = 600.0
"""LiteLLM takes ten seconds to start on a quiet machine, and 150 on a loaded one (measured)."""

TELL_EVERY_S = 15.0
POLL_EVERY_S = 0.1
KEPT_LOGS = 10
"""Logs of failed starts; the oldest ones go."""


@dataclass(frozen=True, slots=True)
class StartLimit:
    """How long a start may take, and where a user makes it longer.

    Attributes:
        setting: The setting or option that lengthens it, as a user writes it.
    """

    within_s: float = START_WITHIN_S
    setting: str = "the start limit"


async def until_ready(
    process: GuardedProcess,
    answers: Callable[[], Awaitable[bool]],
    *,
    name: str,
    limit: StartLimit,
    remedy: str,
    say: Callable[[str], None] = lambda _: None,
    tell_every_s: float = TELL_EVERY_S,
) -> None:
    """Wait until *answers* returns true.

    Args:
        name: Of the program, as people know it.
        remedy: What helps when it ended by itself.
        say: Takes progress, every *tell_every_s* seconds.

    Raises:
        SetupError: The process ended, or did not answer within the limit; its log is kept.
    """
    began_s = time.monotonic()
    told_s = began_s
    while not await answers():
        now_s = time.monotonic()
        if not process.running:
            what = f"ended with code {process.exit_code} before it answered"
            raise _not_up(process, name, what, remedy)
        if now_s - began_s > limit.within_s:
            what = (
                f"did not answer within {limit.within_s:g} s "
                f"(limit: {limit.setting}; {machine_load()})"
            )
            raise _not_up(process, name, what, _lengthen(name, limit))
        if now_s - told_s >= tell_every_s:
            told_s = now_s
            say(
                f"{name} has been starting for {now_s - began_s:.0f} s "
                f"(limit {limit.within_s:g} s; {machine_load()}); log: {process.log_path}"
            )
        await asyncio.sleep(POLL_EVERY_S)


def machine_load() -> str:
    """Describe how busy this machine is, for messages about things that took too long."""
    processors = os.cpu_count() or 1
    return f"load average {os.getloadavg()[0]:.1f} on {processors} processors"


def log_folder() -> Path:
    """Name the folder that keeps logs of failed starts, whether it exists or not."""
    own = os.environ.get("STATE_DIRECTORY")
    if own:
        return Path(own) / "logs"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "understudy" / "logs"


def keep_log(log_path: Path) -> Path | None:
    """Copy a log to where it outlives its process, readable by us alone.

    Returns:
        Where it is now; None if it cannot be kept there.
    """
    folder = log_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = folder / f"{log_path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
        kept.touch(mode=0o600)
        shutil.copyfile(log_path, kept)
        old = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
        for path in old[:-KEPT_LOGS]:
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return kept


def _lengthen(name: str, limit: StartLimit) -> str:
    return (
        f"On a busy machine, raise {limit.setting} (now {limit.within_s:g} s). Otherwise the log "
        f"shows where {name} stopped."
    )


def _not_up(process: GuardedProcess, name: str, what: str, remedy: str) -> SetupError:
    kept = keep_log(process.log_path)
    where = f"its log is kept at {kept}" if kept else f"its log could not be kept in {log_folder()}"
    return SetupError(
        f"{name} {what}; {where}; its last lines:\n{process.last_words()}", remedy=remedy
    )
