"""Watch the host while an engine starts: where GPU and host share memory, it can wedge all of it.

Twice a second: available memory, swap, and the share of time in which all work waited for memory.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from supervisor.probes.kinds.host import HostNumbers, read

EVERY_S = 0.5
GIB = 1 << 30
MOST_STALLED_RATIO = 0.5
"""Share of the last ten seconds in which nothing went on: more, and it is as good as gone."""

Read = Callable[[], HostNumbers]


def read_host() -> HostNumbers:
    """Read this machine's numbers."""
    return read(Path("/"), None)


def breach(numbers: HostNumbers, floor_gib: float) -> str:
    """Say why the new engine has to go; empty if it may stay. Pure.

    Args:
        floor_gib: 0 lets it stay, whatever comes.
    """
    memory = numbers.memory
    if memory is not None and memory.free_bytes < floor_gib * GIB:
        return f"{memory} of memory are available, and the floor is {floor_gib:g} GiB"
    pressure = numbers.memory_pressure if floor_gib else None
    stalled = pressure.full_ratio if pressure is not None else None
    if stalled is not None and stalled > MOST_STALLED_RATIO:
        return f"all work waited for memory in {stalled:.0%} of the last ten seconds"
    return ""


class Guard:
    """Looks until it is stopped, and keeps what it has seen.

    Attributes:
        why: Why the engine had to go; empty if it did not.
        least_bytes: The least memory that was available.
    """

    def __init__(self, floor_gib: float, read: Read = read_host) -> None:
        self.why = ""
        self.least_bytes: int | None = None
        self.samples: list[tuple[float, int]] = []
        self._floor_gib = floor_gib
        self._read = read
        self._began_s = time.monotonic()

    async def watch(self, kill: Callable[[], None]) -> None:
        """Look until cancelled, or until it has killed.

        Args:
            kill: Ends the new engine at once; blocking, and called on the loop's own thread,
                because a machine that is about to stand still may have no time for another.
        """
        while True:
            numbers = self._read()
            if numbers.memory is not None:
                free = numbers.memory.free_bytes
                self.least_bytes = free if self.least_bytes is None else min(free, self.least_bytes)
                self.samples.append((time.monotonic() - self._began_s, free))
                del self.samples[:-1200]
            self.why = breach(numbers, self._floor_gib)
            if self.why:
                kill()
                return
            await asyncio.sleep(EVERY_S)
