"""One turn after the other: what is due is drilled, judged, and written down.

Invariant: a drill that has ended is written before anything else is done; while it cannot be
written nothing is drilled.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import structlog

from chaos.clock import Clock
from chaos.errors import GatewayError, UnderstudyError, UsageError
from chaos.gateway.topology import Topology
from chaos.judge.check import Kind
from chaos.rehearsal import Rehearsal
from chaos.scenario.scenario import FallbackPath, Scenario
from chaos.witness.server import Witness
from supervisor.campaign.connection import connected
from supervisor.campaign.guard import Guard
from supervisor.coverage.ledger import next_fault
from supervisor.coverage.rehearsed import scenarios_of
from supervisor.daemon.audits import Audits
from supervisor.daemon.benchmarking import Benchmarking
from supervisor.daemon.board import Board
from supervisor.daemon.campaigns import Campaigns
from supervisor.daemon.gateway import Connect, OpenGateway, opened
from supervisor.daemon.guard import DaemonGuard
from supervisor.daemon.incidents import Incidents
from supervisor.daemon.recorder import Order, Recorder
from supervisor.settings.model import Settings
from supervisor.settings.windows import closed, inside
from supervisor.store.errors import StoreError
from supervisor.store.halt_file import read_halt
from supervisor.store.records import Halt, Turn
from supervisor.store.store import Store
from supervisor.web.events import Events

log = structlog.get_logger()

EVER = datetime.min.replace(tzinfo=UTC)

LEASE_S = 300.0
"""How long a path is claimed; renewed while it is drilled."""

BROKEN_S = 3600.0
"""A path whose evaluation raises is looked at again after this."""

SPEED_LOOK_S = 30.0
"""How often it is looked whether an engine's speed is to be measured: it takes a snapshot."""

HALT_LOOK_S = 0.5
"""How often a running drill looks whether it is to be halted."""


@dataclass(slots=True)
class Worker:
    """Drills what is due, one path at a time, until it is stopped.

    Attributes:
        settings: What holds from the next turn on.
        halt_file: While it is there, nothing is drilled.
        events: Where everything that happens is told.
        connect: Opens the gateway.
        on_read: Called with the gateway's topology each time that it was read.
        ending: Nothing more is begun, and the running drill is broken off.
        gateway: As it is open now.
        drilling: A drill or a campaign runs, or waits to be written down.
        recorder: Writes down what happens.
        campaigns: What somebody has asked for.
    """

    settings: Settings
    store: Store
    board: Board
    witness: Witness
    clock: Clock
    halt_file: Path
    events: Events
    connect: Connect = connected
    on_read: Callable[[Topology], None] = lambda _: None
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    gateway: OpenGateway | None = None
    drilling: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stop_drill: asyncio.Event = field(default_factory=asyncio.Event)
    _halt: Halt | None = None
    _audit_due: bool = False
    _auditing: "asyncio.Task[None] | None" = None
    _looked_at: datetime = EVER
    _speed_at_s: float = -1e9
    _counted: set[str] = field(default_factory=set)
    _incidents: Incidents = field(default_factory=Incidents)
    _audits: Audits = field(init=False)
    _benchmarking: Benchmarking = field(init=False)

    recorder: Recorder = field(init=False)
    campaigns: Campaigns = field(init=False)

    def __post_init__(self) -> None:
        self._audits = Audits(self.store, self.clock)
        self._benchmarking = Benchmarking(self.store, self.board, self.clock, self.events)
        self.recorder = Recorder(
            self.store, self.board, self.clock, self.events, self.ending, on_felt=self.halt
        )
        self.campaigns = Campaigns(self.recorder, self._guard)

    def look(self) -> None:
        """Look at the ledger soon."""
        self._wake.set()

    def read_anew(self) -> None:
        """Read the gateway anew soon: something has happened to it, or to an engine."""
        if self.gateway is not None:
            self.gateway.forget()
        self.look()

    def use(self, settings: Settings) -> None:
        """Go on with other settings from the next turn on."""
        self.settings = settings
        self.look()

    def end(self) -> None:
        """Begin nothing more, and break off what runs."""
        self.ending.set()
        self.campaigns.stop_all()
        self._stop_drill.set()
        self.look()

    @property
    def halted(self) -> Halt | None:
        """The halt that held at the last look."""
        return self._halt

    def halt(self, begun: Halt) -> None:
        """Begin nothing more, and break off the running drill; it is written as aborted."""
        self._halt = begun
        self._stop_drill.set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Take turns until the end.

        Args:
            session: Towards engines: their queues are looked at before each drill.
        """
        self.look()
        while not self.ending.is_set():
            try:
                await self._work(session, self.settings)
            except UsageError as error:
                # A key that vanished with a reload, say: the next one may bring it back.
                self._gateway_is_away(error)
                await self._wake.wait()
                self._wake.clear()

    async def _work(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        """Take turns with the gateway open as *settings* say, until there are others."""
        async with opened(
            settings,
            session=session,
            incidents=self._incidents,
            witness=self.witness,
            guard=self._guard(settings, session).may_run,
            clock=self.clock,
            connect=self.connect,
        ) as gateway:
            self.gateway = gateway
            try:
                while settings is self.settings and not self.ending.is_set():
                    await self._wake.wait()
                    self._wake.clear()
                    await self._look(gateway, session)
            finally:
                await self._benchmarking.end()
                await self._end_audit()

    def _guard(self, settings: Settings, session: aiohttp.ClientSession) -> DaemonGuard:
        return DaemonGuard(
            settings=settings,
            store=self.store,
            clock=self.clock,
            engines=Guard(session, settings.engine_urls, partial(self._may_load, settings)),
            incidents=self._incidents,
            halted=lambda: self._halt,
        )

    def _may_load(self, settings: Settings) -> bool:
        schedule = settings.schedule
        return inside(schedule.load_windows, schedule.time_zone, self.clock.now()) is not None

    async def _look(self, gateway: OpenGateway, session: aiohttp.ClientSession) -> None:
        """Read the gateway, change what time has changed, and drill all that is due."""
        ready = False
        try:
            while not self.ending.is_set() and gateway.settings is self.settings:
                ready = await self._is_ready(gateway)
                if self.campaigns.waiting or not ready:
                    # Somebody waits, or nothing may run; what was measured so far is not kept.
                    await self._benchmarking.end()
                if await self._campaign(gateway):
                    continue
                if self._benchmarking.running:
                    return  # What is due has hours; each would spoil the other.
                turn = await self.store.claim(LEASE_S) if ready else None
                if turn is None:
                    break
                self.drilling = True
                try:
                    await self._turn(gateway, turn)
                finally:
                    self.drilling = False
            if gateway.fresh and not self.ending.is_set():
                self._audit(gateway)
                if ready and self.clock.monotonic() - self._speed_at_s >= SPEED_LOOK_S:
                    self._speed_at_s = self.clock.monotonic()
                    await self._benchmarking.look(gateway.settings, gateway.topology, session)
        except StoreError as error:
            self.board.store_is_away(error)
        except Exception as error:
            # A defect of ours ends no daemon: it is said, and the next beat tries again.
            gateway.forget()
            if self.board.note(gateway_trouble=f"{type(error).__name__}, see the log"):
                log.exception("look.broken")

    async def _campaign(self, gateway: OpenGateway) -> bool:
        """Run the campaign that waits longest; False if none waits."""
        if gateway.topology is None or self.ending.is_set():
            return False
        campaign = self.campaigns.next()
        if campaign is None:
            return False
        self._stop_drill, self.drilling = campaign.stop, True
        try:
            async with self._held(None):
                await self.campaigns.run(campaign, gateway, self.settings)
        finally:
            self.drilling = False
        return True

    async def _is_ready(self, gateway: OpenGateway) -> bool:
        """Bring everything up to date, and report whether a drill may begin."""
        await self._follow_clock(gateway)
        await self._turn_states()
        if self.board.note(store_trouble=None):
            log.info("store.back", store=self.store.where)
        if not gateway.fresh and not await self._read(gateway):
            return False
        self._halt = await self._halt_now()
        schedule = gateway.settings.schedule
        shut = closed(schedule.windows, schedule.blackouts, schedule.time_zone, self.clock.now())
        if self.board.note(closed=shut):
            log.info("schedule.closed" if shut else "schedule.open", why=shut)
        for kind, reason in (
            (Kind.HALTED.value, self._halt.reason if self._halt else None),
            ("closed", shut),
        ):
            # Once for each time that something was due and might not be drilled.
            if reason is None:
                self._counted.discard(kind)
            elif kind not in self._counted and await self.store.due() is not None:
                self._counted.add(kind)
                await self.store.count_refusal(kind, reason)
        return self._halt is None and shut is None

    def _audit(self, gateway: OpenGateway) -> None:
        """Audit the gateway when nothing is due, beside whatever comes next."""
        if self._auditing is not None and not self._auditing.done():
            return
        changed, self._audit_due = self._audit_due, False
        self._auditing = asyncio.create_task(self._audited(gateway, changed=changed), name="audit")

    async def _audited(self, gateway: OpenGateway, *, changed: bool) -> None:
        try:
            if await self._audits.look(gateway.gateway, gateway.settings, changed=changed):
                self.board.news()
        except StoreError as error:
            self.board.store_is_away(error)
        except Exception:
            log.exception("audit.broken")

    async def _end_audit(self) -> None:
        """The gateway is closed: what still asks it is over."""
        if self._auditing is not None:
            self._auditing.cancel()
            await asyncio.wait({self._auditing})

    async def _follow_clock(self, gateway: OpenGateway) -> None:
        """Go on from now where the clock was set back: the ledger was ahead of it."""
        now = self.clock.now()
        if now < self._looked_at:
            await self.store.bring_back()
            gateway.begin_anew()
            log.warning("clock.set_back", by_s=round((self._looked_at - now).total_seconds(), 1))
        self._looked_at = now

    async def _turn_states(self) -> None:
        """Change the states that time changes."""
        for change in await self.store.turn():
            self.recorder.tell_change(change)
            log.info(
                "path.changed",
                path=str(change.path),
                was=change.was.value,
                state=change.state.value,
                at=change.at.isoformat(),
            )
            self.board.news()

    async def _read(self, gateway: OpenGateway) -> bool:
        """Read the gateway, call for an audit if it has changed, and say whether it was read."""
        try:
            anew = await gateway.read(self.store)
        except GatewayError as error:
            self._gateway_is_away(error)
            return False
        self._audit_due = self._audit_due or anew > 0
        if anew:
            self.board.news()
        topology = gateway.topology
        if topology is not None:
            self.on_read(topology)
        self.board.note(
            gateway_trouble=None,
            litellm_version=topology.litellm_version if topology else "",
            topology_at=self.clock.now(),
        )
        await self.store.sign_in(
            version=self.board.condition.version, started_at=self.board.condition.started_at
        )
        return True

    async def _halt_now(self) -> Halt | None:
        """Find the halt that holds: the file's, or the store's."""
        return read_halt(self.halt_file) or await self.store.halted()

    async def _turn(self, gateway: OpenGateway, turn: Turn) -> None:
        """Drill one path with the fault whose turn it is."""
        path, now = turn.record.path, self.clock.now()
        try:
            assert gateway.topology is not None  # noqa: S101 -- it was read before
            scenarios = scenarios_of(gateway.topology, self.settings.rehearse, path)
            if not scenarios:
                gateway.forget()
                await self._put_off(path, now + timedelta(seconds=BROKEN_S))
                return
            known = await self.store.verdicts(path)
            fault = next_fault(turn.record, known, tuple(scenarios), now)
            rehearsal = await gateway.rehearsal(lambda line: log.info("rehearsal", says=line))
            async with self._held(path):
                await self._drill(rehearsal, scenarios[fault], tuple(scenarios))
        except StoreError:
            raise
        except GatewayError as error:
            gateway.forget()
            await self._put_off(path)
            self._gateway_is_away(error)
        except UnderstudyError as error:
            # The gateway may be reached, and cannot be drilled as the settings say.
            await self._put_off(path, now + timedelta(seconds=BROKEN_S))
            log.warning("path.not_drilled", path=str(path), why=error.message, remedy=error.remedy)
        except Exception:
            # One path that cannot be evaluated must not keep the others from being drilled.
            await self._put_off(path, now + timedelta(seconds=BROKEN_S))
            log.exception("path.broken", path=str(path), again_in_s=BROKEN_S)

    async def _put_off(self, path: FallbackPath, until: datetime | None = None) -> None:
        await self.store.let_go(path, until)
        self.board.news()

    @asynccontextmanager
    async def _held(self, path: FallbackPath | None) -> AsyncIterator[None]:
        """Keep other daemons away from the path while it is drilled, and look out for a halt."""
        # Owned here: ended below, whatever happens to the drill.
        holding = asyncio.create_task(self._hold(path), name="hold the path")
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.wait({holding})

    async def _hold(self, path: FallbackPath | None) -> None:
        renewed_s = self.clock.monotonic()
        while True:
            await self.clock.sleep(HALT_LOOK_S)
            try:
                if (halt := await self._halt_now()) is not None:
                    self.halt(halt)
                if path is not None and self.clock.monotonic() - renewed_s > LEASE_S / 3:
                    renewed_s = self.clock.monotonic()
                    until = self.clock.now() + timedelta(seconds=LEASE_S)
                    await self.store.renew(path, until)
            except StoreError as error:
                self.board.store_is_away(error)

    async def _drill(self, rehearsal: Rehearsal, scenario: Scenario, faults: Sequence[str]) -> None:
        """Run one drill, and write it down; a second time if others felt it."""
        if self.ending.is_set():
            return
        stop = self._stop_drill = asyncio.Event()
        order = Order(
            settings=self.settings,
            version=rehearsal.topology.litellm_version,
            faults_of=lambda _: faults,
        )
        async for event in rehearsal.run(rehearsal.plan([scenario]), stop):
            await self.recorder.take(event, order)

    def _gateway_is_away(self, error: UnderstudyError) -> None:
        if self.board.note(gateway_trouble=error.message):
            log.warning("gateway.away", why=error.message, remedy=error.remedy)
