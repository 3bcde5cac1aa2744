"""What an engine's log and package say, where the settings tell how to read them."""

import asyncio
from dataclasses import dataclass

from supervisor.engine.log import EngineLog, read_log
from supervisor.engine.log_source import fetch_log
from supervisor.engine.package import Parsers, list_parsers
from supervisor.settings.model import EngineSettings


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be read, and what to do about it."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Inside:
    """What can be known of an engine beyond HTTP.

    Attributes:
        container: Its container, where the settings name one.
        log: None if no log is named, or it cannot be read.
        parsers: None if neither a Python nor a container is named; else the answer, which may
            be a problem.
        notes: What could not be read; the engine may be well all the same.
    """

    container: str | None = None
    log: EngineLog | None = None
    parsers: Parsers | None = None
    notes: tuple[Note, ...] = ()


async def look_inside(engine: EngineSettings) -> Inside:
    """Read the log and list the parsers, each where the settings name a place."""
    log, parsers = await asyncio.gather(fetch_log(engine), list_parsers(engine))
    notes = [Note(one.problem, one.remedy) for one in (log, parsers) if one and one.problem]
    read = read_log(log.text) if log is not None and log.text else None
    if log is not None and read is not None and not read.says_anything:
        read = None
        if not log.problem:
            notes.append(
                Note(
                    f"nothing in the log of {log.where} is vLLM's",
                    "Name the file or the container that vLLM's own output goes to.",
                )
            )
    once = {note.message: note for note in reversed(notes)}
    return Inside(engine.container, read, parsers, tuple(reversed(once.values())))
