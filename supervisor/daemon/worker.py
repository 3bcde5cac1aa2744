"""One turn after the other: what is due is drilled, judged, and written down.

Invariant: a drill that has ended is written before anything else is done; while it cannot be
written nothing is drilled.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import structlog

from chaos.clock import Clock
from chaos.drill.drill import MAY_RUN, Drill
from chaos.drill.events import CampaignEnded, DrillEnded, DrillStarted
from chaos.drill.report import is_partial, row_of
from chaos.drill.spending import attempts_used
from chaos.errors import GatewayError, UnderstudyError
from chaos.judge.check import Finding, Kind
from chaos.judge.known_gaps import Gap
from chaos.rehearsal import Rehearsal
from chaos.scenario.scenario import FallbackPath, Scenario
from chaos.witness.server import Witness
from supervisor.campaign.accepted import Accepted
from supervisor.campaign.connection import connected
from supervisor.campaign.guard import Guard
from supervisor.campaign.request import DrillRequest, known_gaps
from supervisor.coverage.ledger import next_fault
from supervisor.coverage.rehearsed import scenarios_of
from supervisor.daemon.audits import Audits
from supervisor.daemon.board import Board
from supervisor.daemon.gateway import Connect, OpenGateway, opened
from supervisor.daemon.guard import DaemonGuard
from supervisor.daemon.incidents import Incidents
from supervisor.settings.model import Settings
from supervisor.settings.windows import closed, inside
from supervisor.status import Running
from supervisor.store.errors import StoreError
from supervisor.store.halt_file import read_halt
from supervisor.store.records import DrillEntry, Halt, Turn, Used
from supervisor.store.store import Store

log = structlog.get_logger()

LEASE_S = 300.0
"""How long a path is claimed; renewed while it is drilled."""

BROKEN_S = 3600.0
"""A path whose evaluation raises is looked at again after this."""

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
"""Between tries to write what cannot be written."""

HALT_LOOK_S = 0.5
"""How often a running drill looks whether it is to be halted."""

REFUSED_PAUSE_S, BUDGET_PAUSE_S = 60.0, 900.0
"""Until a path whose drill was refused is looked at again."""

LAST_TRIES = 4
"""To write a drill down, a second apart, when the daemon is to end."""


@dataclass(slots=True)
class Worker:
    """Drills what is due, one path at a time, until it is stopped.

    Attributes:
        settings: What holds from the next turn on.
        halt_file: While it is there, nothing is drilled.
        connect: Opens the gateway.
        ending: Nothing more is begun, and the running drill is broken off.
    """

    settings: Settings
    store: Store
    board: Board
    witness: Witness
    clock: Clock
    halt_file: Path
    connect: Connect = connected
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stop_drill: asyncio.Event = field(default_factory=asyncio.Event)
    _halt: Halt | None = None
    _audit_due: bool = False
    _auditing: "asyncio.Task[None] | None" = None
    _counted: set[str] = field(default_factory=set)
    _incidents: Incidents = field(default_factory=Incidents)
    _audits: Audits = field(init=False)

    def __post_init__(self) -> None:
        self._audits = Audits(self.store, self.clock)

    @property
    def drilling(self) -> bool:
        """A drill runs, or waits to be written down."""
        return self.board.condition.running is not None

    def look(self) -> None:
        """Look at the ledger soon."""
        self._wake.set()

    def use(self, settings: Settings) -> None:
        """Go on with other settings from the next turn on."""
        self.settings = settings
        self.look()

    def end(self) -> None:
        """Begin nothing more, and break off what runs."""
        self.ending.set()
        self._stop_drill.set()
        self.look()

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
            settings = self.settings
            guard = DaemonGuard(
                settings=settings,
                store=self.store,
                clock=self.clock,
                engines=Guard(session, settings.engine_urls, partial(self._may_load, settings)),
                incidents=self._incidents,
                halted=lambda: self._halt,
            )
            async with opened(
                settings,
                session=session,
                incidents=self._incidents,
                witness=self.witness,
                guard=guard.may_run,
                clock=self.clock,
                connect=self.connect,
            ) as gateway:
                try:
                    while settings is self.settings and not self.ending.is_set():
                        await self._wake.wait()
                        self._wake.clear()
                        await self._look(gateway)
                finally:
                    await self._end_audit()

    def _may_load(self, settings: Settings) -> bool:
        schedule = settings.schedule
        return inside(schedule.load_windows, schedule.time_zone, self.clock.now()) is not None

    async def _look(self, gateway: OpenGateway) -> None:
        """Read the gateway, change what time has changed, and drill all that is due."""
        try:
            while not self.ending.is_set() and gateway.settings is self.settings:
                ready = await self._is_ready(gateway)
                turn = await self.store.claim(LEASE_S) if ready else None
                if turn is None:
                    break
                await self._turn(gateway, turn)
            if gateway.fresh and not self.ending.is_set():
                self._audit(gateway)
        except StoreError as error:
            self._store_is_away(error)

    async def _is_ready(self, gateway: OpenGateway) -> bool:
        """Bring everything up to date, and report whether a drill may begin."""
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
            self._store_is_away(error)
        except Exception:
            log.exception("audit.broken")

    async def _end_audit(self) -> None:
        """The gateway is closed: what still asks it is over."""
        if self._auditing is not None:
            self._auditing.cancel()
            await asyncio.wait({self._auditing})

    async def _turn_states(self) -> None:
        """Change the states that time changes."""
        for change in await self.store.turn():
            log.info(
                "path.changed",
                path=str(change.path),
                was=change.was.value,
                state=change.state.value,
                at=change.at.isoformat(),
            )
            self.board.news()

    async def _read(self, gateway: OpenGateway) -> bool:
        """Read the gateway, audit it if it has changed, and say whether that could be done."""
        try:
            anew = await gateway.read(self.store)
        except GatewayError as error:
            self._gateway_is_away(error)
            return False
        self._audit_due = self._audit_due or anew > 0
        if anew:
            self.board.news()
        topology = gateway.topology
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
            async with self._held(turn):
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
    async def _held(self, turn: Turn) -> AsyncIterator[None]:
        """Keep other daemons away from the path while it is drilled, and look out for a halt."""
        # Owned here: ended below, whatever happens to the drill.
        holding = asyncio.create_task(self._hold(turn.record.path), name="hold the path")
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.wait({holding})

    async def _hold(self, path: FallbackPath) -> None:
        renewed_s = self.clock.monotonic()
        while True:
            await self.clock.sleep(HALT_LOOK_S)
            try:
                if (halt := await self._halt_now()) is not None:
                    self.halt(halt)
                if self.clock.monotonic() - renewed_s > LEASE_S / 3:
                    renewed_s = self.clock.monotonic()
                    until = self.clock.now() + timedelta(seconds=LEASE_S)
                    await self.store.renew(path, until)
            except StoreError as error:
                self._store_is_away(error)

    async def _drill(self, rehearsal: Rehearsal, scenario: Scenario, faults: Sequence[str]) -> None:
        """Run one drill, and write it down; a second time if others felt it."""
        self._stop_drill.clear()
        if self.ending.is_set():
            return
        assignments = rehearsal.plan([scenario])
        version = rehearsal.topology.litellm_version
        try:
            async for event in rehearsal.run(assignments, self._stop_drill):
                drill: Drill | None = None
                if isinstance(event, DrillStarted):
                    running = Running(event.plan.id, scenario.key, self.clock.now())
                    self.board.note(running=running)
                elif isinstance(event, DrillEnded):
                    drill = event.drill
                elif isinstance(event, CampaignEnded):
                    drill = event.revised
                if drill is not None and (refusal := refusal_of(drill)) is not None:
                    await self._refused(drill, refusal)
                elif drill is not None:
                    await self._write(self._entry(drill, version, faults))
                    await self._stop_if_felt(drill)
        finally:
            self.board.note(running=None)

    async def _refused(self, drill: Drill, refusal: Finding) -> None:
        """Count a drill that may not be now, and look at its path again in a while."""
        kind = refusal.kind.value if refusal.kind is not None else "refused"
        await self.store.count_refusal(kind, refusal.message)
        pause_s = BUDGET_PAUSE_S if refusal.kind is Kind.OVER_BUDGET else REFUSED_PAUSE_S
        path = drill.plan.scenario.path
        await self._put_off(path, self.clock.now() + timedelta(seconds=pause_s))
        log.info("drill.refused", path=str(path), kind=kind, why=refusal.message)

    def _entry(self, drill: Drill, version: str, faults: Sequence[str]) -> DrillEntry:
        now = self.clock.now()
        gaps = known_gaps(self.settings, DrillRequest(), now.date())
        row = row_of(drill, litellm_version=version, gaps=gaps)
        return DrillEntry(
            path=drill.plan.scenario.path,
            row=row,
            ended_at=now,
            seen=drill.seen,
            accepted_until=_accepted_until(row.known_gap, gaps),
            partial=is_partial(row),
            faults=faults,
            requests=drill.requests,
            used=_used(drill),
        )

    async def _write(self, entry: DrillEntry) -> None:
        """Write a drill down; wait for the store as long as it takes, and drill nothing else."""
        row, wait_s, tries_left = entry.row, FIRST_WAIT_S, LAST_TRIES
        change = None
        while tries_left:
            try:
                change = await self.store.add_drill(entry)
                break
            except StoreError as error:
                self._store_is_away(error)
                tries_left -= self.ending.is_set()
                await self._pause(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            # The log is the last place that is left to keep it.
            log.error("drill.not_written", drill=row.id, row=row.model_dump_json())
            return
        self.board.news()
        took_s = (entry.ended_at - row.started_at).total_seconds()
        log.info(
            "drill.ended",
            drill=row.id,
            path=str(entry.path),
            fault=row.scenario.fault,
            outcome=row.outcome.value,
            kind=row.kind.value if row.kind else None,
            known_gap=row.known_gap,
            served_by=row.reply.served_by,
            state=change.state.value if change else None,
            took_s=round(took_s, 3),
        )

    async def _stop_if_felt(self, drill: Drill) -> None:
        """Drill nothing more once other traffic has felt a drill, until a person says so."""
        felt = drill.seen.collateral
        if not felt or self._halt is not None:
            return
        self._halt = Halt(
            f"other traffic felt the drill {drill.plan.id}: {felt[0]}",
            self.clock.now(),
            daemon=self.board.condition.daemon,
        )
        await self.store.halt(self._halt)
        log.error("halted", reason=self._halt.reason)

    async def _pause(self, seconds: float) -> None:
        """Let time pass, and go on early when the daemon is to end."""
        if self.ending.is_set():
            await self.clock.sleep(FIRST_WAIT_S)
            return
        async with asyncio.TaskGroup() as tasks:
            waiting = {
                tasks.create_task(self.clock.sleep(seconds)),
                tasks.create_task(self.ending.wait()),
            }
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    def _gateway_is_away(self, error: GatewayError) -> None:
        if self.board.note(gateway_trouble=error.message):
            log.warning("gateway.away", why=error.message, remedy=error.remedy)

    def _store_is_away(self, error: StoreError) -> None:
        if self.board.note(store_trouble=error.message):
            log.error("store.away", why=error.message, remedy=error.remedy)


def refusal_of(drill: Drill) -> Finding | None:
    """Say why a drill was not run; None if it was."""
    found = next((f for f in drill.verdict.findings if f.check == MAY_RUN), None)
    return found if drill.requests == 0 else None


def _used(drill: Drill) -> dict[str, Used]:
    used: dict[str, Used] = {}
    for attempt in attempts_used(drill):
        before = used.get(attempt.provider, Used())
        used[attempt.provider] = Used(
            before.requests + 1,
            before.tokens + attempt.tokens,
            before.cost_usd + attempt.cost_usd,
        )
    return used


def _accepted_until(known_gap: str | None, gaps: Sequence[Gap]) -> datetime | None:
    """Find the end of the day until which a failure is accepted."""
    for gap in gaps:
        if isinstance(gap, Accepted) and gap.source == known_gap:
            last_day = gap.entry.until + timedelta(days=1)
            return datetime.combine(last_day, time(), tzinfo=UTC)
    return None
