"""Everything that the list of processes shows to anybody while a block runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

LOOK_EVERY_S = 0.02


@asynccontextmanager
async def watched_processes(parent: int) -> AsyncIterator[dict[str, set[bytes]]]:
    """Collect the command line of every process, and the environment of *parent*'s children."""
    seen: dict[str, set[bytes]] = {"command lines": set(), "environments of children": set()}

    async def look() -> None:
        while True:
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen["command lines"].add((folder / "cmdline").read_bytes())
                    state = (folder / "stat").read_text().rpartition(")")[2].split()
                    if int(state[1]) == parent:
                        environment = (folder / "environ").read_bytes()
                        seen["environments of children"].add(environment)
            await asyncio.sleep(LOOK_EVERY_S)

    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(look())
        yield seen
        looking.cancel()
