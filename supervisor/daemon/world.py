"""What the API may ask of the daemon, answered from the board, the store and the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pydantic import SecretStr

from chaos.clock import Clock
from chaos.gateway.topology import Topology
from supervisor.baseline.record import Benchmark
from supervisor.daemon.alerting import Alerting
from supervisor.daemon.board import Board
from supervisor.daemon.watch import Watch
from supervisor.daemon.worker import Worker
from supervisor.status import Status
from supervisor.store.alerts.records import Silence, Told
from supervisor.store.halt_file import end_halt
from supervisor.store.records import DrillFilter, Halt, StoredDrill
from supervisor.store.store import Store
from supervisor.web.drill_order import DrillOrder
from supervisor.web.events import Events
from supervisor.web.problem import ConflictError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DaemonWorld:
    """The daemon, as ``supervisor.web.world`` wants it."""

    board: Board
    store: Store
    worker: Worker
    watch: Watch
    alerting: Alerting
    clock: Clock

    @property
    def events(self) -> Events:
        """What happens."""
        return self.worker.events

    async def start_drills(self, order: DrillOrder) -> str:
        """Begin a campaign; its progress is told as events."""
        halt = self.worker.halted
        if halt is not None:
            raise ConflictError(
                f"drills are halted: {halt.reason}", remedy="'understudy resume' goes on."
            )
        name = self.worker.campaigns.add(order, self.worker.gateway, self.worker.settings)
        self.worker.look()
        return name

    async def stop_drills(self, campaign: str) -> bool:
        """Break off a campaign; False if none of this id runs or waits."""
        return self.worker.campaigns.stop(campaign)

    def topology(self) -> Topology | None:
        """Give the gateway as it was read last; None before."""
        gateway = self.worker.gateway
        return gateway.topology if gateway is not None else None

    async def status(self) -> Status:
        """Give the newest snapshot."""
        return await self.board.status()

    async def drills(self, wanted: DrillFilter) -> Sequence[StoredDrill]:
        """List drills, newest first."""
        return await self.store.drills(wanted)

    async def drill(self, name: str) -> StoredDrill | None:
        """Find one drill by its id."""
        return await self.store.drill(name)

    async def add_benchmark(self, one: Benchmark) -> bool:
        """Keep a benchmark; False if it is there already."""
        added = await self.store.add_benchmark(one)
        if added:
            log.info("benchmark.taken", engine=one.engine, id=one.id, tokens_per_s=one.decode_tps)
            self.board.news()
        return added

    def heartbeat_secret(self, name: str) -> SecretStr | None:
        """Find the secret that lets its bearer send this sign of life; None without one."""
        heartbeat = self.watch.settings.heartbeats.get(name)
        if heartbeat is None or heartbeat.secret is None:
            return None
        return heartbeat.secret.reveal()

    async def beat(self, name: str) -> bool:
        """Take a client's sign of life."""
        return await self.watch.beat(name)

    async def told(self, limit: int) -> Sequence[Told]:
        """List what was told, newest first."""
        return await self.store.told(limit)

    def test_alert(self) -> str:
        """Fire an alert that says that it is a test."""
        return self.alerting.test()

    async def silence(self, matchers: Mapping[str, str], reason: str, for_s: float) -> Silence:
        """Tell nobody of alerts whose labels match, for a while."""
        until = self.clock.now() + timedelta(seconds=for_s)
        begun = await self.store.silence(matchers, reason, until)
        self.board.news()
        log.warning("alerts.silenced", matchers=dict(matchers), reason=reason, until=str(until))
        return begun

    async def end_silence(self, number: int) -> bool:
        """End a silence before its time."""
        ended = await self.store.end_silence(number)
        self.board.news()
        return ended

    async def halt(self, reason: str, for_s: float | None, *, everywhere: bool) -> Halt:
        """Drill nothing, and break off what runs here."""
        now = self.clock.now()
        until = None if for_s is None else now + timedelta(seconds=for_s)
        begun = Halt(
            reason or "no reason was given",
            now,
            until,
            None if everywhere else self.board.condition.daemon,
        )
        # What runs is broken off even where the halt cannot be written.
        self.worker.halt(begun)
        await self.store.halt(begun)
        self.board.news()
        self.events.tell("halted", {"reason": begun.reason})
        log.warning("halted", reason=begun.reason, until=until and until.isoformat())
        return begun

    async def resume(self, *, everywhere: bool) -> bool:
        """Go on."""
        by_file = end_halt(self.worker.halt_file)
        own = await self.store.resume(self.board.condition.daemon)
        ended = (await self.store.resume(None) if everywhere else False) or own or by_file
        self.board.news()
        self.worker.look()
        if ended:
            self.events.tell("resumed", {})
            log.info("resumed")
        return ended
