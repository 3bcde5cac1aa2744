"""The daemon, as the API sees it: the newest snapshot, the store's past, and two commands."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import SecretStr

from chaos.gateway.topology import Topology
from supervisor.baseline.record import Benchmark
from supervisor.status import Status
from supervisor.store.alerts.records import Silence, Told
from supervisor.store.records import DrillFilter, Halt, StoredDrill
from supervisor.web.drill_order import DrillOrder
from supervisor.web.events import Events


class World(Protocol):
    """The daemon. Every method may raise an ``UnderstudyError``."""

    @property
    def events(self) -> Events:
        """What happens."""
        ...

    async def status(self) -> Status:
        """Give the newest snapshot."""
        ...

    async def drills(self, wanted: DrillFilter, /) -> Sequence[StoredDrill]:
        """List drills, newest first."""
        ...

    async def drill(self, name: str, /) -> StoredDrill | None:
        """Find one drill by its id."""
        ...

    async def start_drills(self, order: DrillOrder, /) -> str:
        """Begin a campaign; its progress is told as events.

        Returns:
            The campaign's id.
        Raises:
            UsageError: Nothing can be drilled as ordered.
            ConflictError: Drills are halted, or too many campaigns wait.
        """
        ...

    async def stop_drills(self, campaign: str, /) -> bool:
        """Break off a campaign that was begun here; False if none of this id runs or waits."""
        ...

    def topology(self) -> Topology | None:
        """Give the gateway as it was read last; None before."""
        ...

    def heartbeat_secret(self, name: str, /) -> SecretStr | None:
        """Find the secret that lets its bearer send this sign of life; None without one."""
        ...

    async def beat(self, name: str, /) -> bool:
        """Take a client's sign of life; False if nobody waits for it."""
        ...

    async def told(self, limit: int, /) -> Sequence[Told]:
        """List what was told, newest first."""
        ...

    def test_alert(self) -> str:
        """Fire an alert that says that it is a test; returns what its label ``test`` is."""
        ...

    async def silence(self, matchers: Mapping[str, str], reason: str, for_s: float, /) -> Silence:
        """Tell nobody of alerts whose labels match, for a while."""
        ...

    async def end_silence(self, number: int, /) -> bool:
        """End a silence; False if none of this number holds."""
        ...

    async def add_benchmark(self, one: Benchmark, /) -> bool:
        """Keep a benchmark; False if it is there already."""
        ...

    async def halt(self, reason: str, for_s: float | None, /, *, everywhere: bool) -> Halt:
        """Drill nothing, for a while or until ``resume``; what is running is broken off."""
        ...

    async def resume(self, *, everywhere: bool) -> bool:
        """Go on; False if nothing was halted."""
        ...
