"""The daemon, as the API sees it: the newest snapshot, the store's past, and two commands."""

from collections.abc import Sequence
from typing import Protocol

from supervisor.status import Status
from supervisor.store.records import DrillFilter, Halt, StoredDrill


class World(Protocol):
    """The daemon. Every method may raise an ``UnderstudyError``."""

    async def status(self) -> Status:
        """Give the newest snapshot."""
        ...

    async def drills(self, wanted: DrillFilter, /) -> Sequence[StoredDrill]:
        """List drills, newest first."""
        ...

    async def drill(self, name: str, /) -> StoredDrill | None:
        """Find one drill by its id."""
        ...

    async def halt(self, reason: str, for_s: float | None, /, *, everywhere: bool) -> Halt:
        """Drill nothing, for a while or until ``resume``; what is running is broken off."""
        ...

    async def resume(self, *, everywhere: bool) -> bool:
        """Go on; False if nothing was halted."""
        ...
