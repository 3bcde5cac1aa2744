"""Fetch an engine's log: from a file, or from its container.

A log that cannot be read is a fact, never an error: the engine may be well all the same.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import UnderstudyError
from supervisor.settings.model import EngineSettings

MARK = b"non-default args:"
"""vLLM writes it early in every start."""

MOST_SEARCHED_BYTES = 256 << 20
BEFORE_MARK_BYTES = 8 << 10
START_BYTES = 2 << 20
END_BYTES = 256 << 10
_CHUNK = 4 << 20


@dataclass(frozen=True, slots=True)
class LogText:
    """The log of an engine's last start, as far as it matters.

    Attributes:
        text: Its beginning and its end; empty if it cannot be read.
        where: What it was read from.
        problem: Why it cannot be read, or what is wrong with where it is.
    """

    text: str = ""
    where: str = ""
    problem: str = ""
    remedy: str = ""


async def fetch_log(engine: EngineSettings) -> LogText | None:
    """Read the log that the settings name, a file before a container; None if they name none."""
    if engine.log is not None:
        return await asyncio.to_thread(_from_file, engine.log.expanduser())
    if engine.container is not None:
        return await asyncio.to_thread(_from_container, engine.container)
    return None


def _from_file(path: Path) -> LogText:
    where = f"file {path}"
    try:
        text, complete = tail_from_last_start(path)
    except OSError as error:
        return LogText(
            where=where,
            problem=f"the log {path} cannot be read: {error.strerror or error}",
            remedy="Name a file that this user may read, below engines.",
        )
    if complete:
        return LogText(text, where)
    return LogText(
        text,
        where,
        problem=f"the log {path} does not show how vLLM was started",
        remedy="Name the file that vLLM's output of its last start is in, below engines.",
    )


def tail_from_last_start(path: Path) -> tuple[str, bool]:
    """Read the beginning of the last start and the end of the file, and nothing in between.

    Returns:
        The text, and whether the beginning of a start is in it.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is no file")  # A pipe would keep us waiting for its writer.
    with path.open("rb") as file:
        size = file.seek(0, 2)
        mark, upper = -1, size
        while mark < 0 and upper > max(0, size - MOST_SEARCHED_BYTES):
            lower = max(0, upper - _CHUNK)
            file.seek(lower)
            found = file.read(upper - lower + len(MARK)).rfind(MARK)
            mark = lower + found if found >= 0 else -1
            upper = lower
        end = max(0, size - END_BYTES)
        if mark < 0:
            file.seek(end)
            return _text(file.read(END_BYTES)), False
        begin = max(0, mark - BEFORE_MARK_BYTES)
        file.seek(begin)
        start = file.read(min(mark + START_BYTES, size) - begin)
        file.seek(max(end, begin + len(start)))
        return _text(start + file.read(END_BYTES)), True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _from_container(name: str) -> LogText:
    from supervisor.engine import container as containers  # noqa: PLC0415 -- many megabytes

    where = f"container {name}"
    try:
        with containers.open_container(name) as container:
            trouble = containers.trouble_of(container)
            return LogText(
                containers.read_log(container),
                where,
                trouble,
                f"Look why: docker logs {name}" if trouble else "",
            )
    except UnderstudyError as error:
        return LogText("", where, error.message, error.remedy)
