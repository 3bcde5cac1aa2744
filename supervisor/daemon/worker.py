"""One turn after the other: what is due is drilled, judged, and written down.

Invariant: a drill that has ended is written before anything else is done; while it cannot be
written nothing is drilled.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import aiohttp
import structlog

from chaos.clock import Clock
from chaos.drill.drill import Drill, Refusal
from chaos.drill.events import CampaignEnded, DrillEnded, DrillStarted
from chaos.drill.report import is_partial, row_of
from chaos.errors import GatewayError, UnderstudyError
from chaos.judge.check import Kind
from chaos.judge.known_gaps import Gap
from chaos.judge.verdict import Outcome
from chaos.rehearsal import Rehearsal
from chaos.scenario.plan import DrillPlan
from chaos.scenario.scenario import FallbackPath, Scenario
from chaos.witness.server import Witness
from supervisor.campaign.accepted import Accepted
from supervisor.campaign.connection import connected
from supervisor.campaign.guard import Guard
from supervisor.campaign.request import DrillRequest, known_gaps
from supervisor.coverage.ledger import next_fault
from supervisor.coverage.rehearsed import scenarios_of
from supervisor.daemon.board import Board
from supervisor.daemon.gateway import Connect, OpenGateway, opened
from supervisor.settings.model import Settings
from supervisor.status import Running
from supervisor.store.errors import StoreError
from supervisor.store.records import DrillEntry, Halt, Turn
from supervisor.store.store import Store

log = structlog.get_logger()

LEASE_S = 300.0
"""How long a path is claimed; renewed while it is drilled."""

BROKEN_S = 3600.0
"""A path whose evaluation raises is looked at again after this."""

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
"""Between tries to write what cannot be written."""

LAST_TRIES = 4
"""To write a drill down, a second apart, when the daemon is to end."""


@dataclass(slots=True)
class Worker:
    """Drills what is due, one path at a time, until it is stopped.

    Attributes:
        settings: What holds from the next turn on.
        connect: Opens the gateway.
        ending: Nothing more is begun, and the running drill is broken off.
    """

    settings: Settings
    store: Store
    board: Board
    witness: Witness
    clock: Clock
    connect: Connect = connected
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stop_drill: asyncio.Event = field(default_factory=asyncio.Event)
    _halt: Halt | None = None

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
            guard = Guard(session, settings.engine_urls)

            async def may_run(plan: DrillPlan, guard: Guard = guard) -> Refusal | None:
                return self._halted() or await guard.may_run(plan)

            async with opened(
                settings,
                witness=self.witness,
                guard=may_run,
                clock=self.clock,
                connect=self.connect,
            ) as gateway:
                while settings is self.settings and not self.ending.is_set():
                    await self._wake.wait()
                    self._wake.clear()
                    await self._look(gateway)

    def _halted(self) -> Refusal | None:
        if self._halt is None:
            return None
        return Refusal(Kind.HALTED, self._halt.reason, "understudy resume goes on.")

    async def _look(self, gateway: OpenGateway) -> None:
        """Read the gateway, change what time has changed, and drill all that is due."""
        try:
            while not self.ending.is_set() and gateway.settings is self.settings:
                if not await self._is_ready(gateway):
                    return
                turn = await self.store.claim(LEASE_S)
                if turn is None:
                    return
                await self._turn(gateway, turn)
        except StoreError as error:
            self._store_is_away(error)

    async def _is_ready(self, gateway: OpenGateway) -> bool:
        for change in await self.store.turn():
            log.info(
                "path.changed",
                path=str(change.path),
                was=change.was.value,
                state=change.state.value,
                at=change.at.isoformat(),
            )
            self.board.news()
        if self.board.note(store_trouble=None):
            log.info("store.back", store=self.store.where)
        self._halt = await self.store.halted()
        if not gateway.fresh:
            try:
                if await gateway.read(self.store):
                    self.board.news()
            except GatewayError as error:
                if self.board.note(gateway_trouble=error.message):
                    log.warning("gateway.away", why=error.message, remedy=error.remedy)
                return False
        topology = gateway.topology
        self.board.note(
            gateway_trouble=None,
            litellm_version=topology.litellm_version if topology else "",
            topology_at=self.clock.now(),
        )
        return self._halt is None

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
            if self.board.note(gateway_trouble=error.message):
                log.warning("gateway.away", why=error.message, remedy=error.remedy)
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
        """Keep other daemons away from the path while it is drilled."""

        async def hold() -> None:
            while True:
                await self.clock.sleep(LEASE_S / 3)
                until = self.clock.now() + timedelta(seconds=LEASE_S)
                try:
                    await self.store.renew(turn.record.path, until)
                except StoreError as error:
                    self._store_is_away(error)

        async with asyncio.TaskGroup() as tasks:
            holding = tasks.create_task(hold(), name="hold the path")
            try:
                yield
            finally:
                holding.cancel()

    async def _drill(self, rehearsal: Rehearsal, scenario: Scenario, faults: Sequence[str]) -> None:
        """Run one drill, and write it down; a second time if others felt it."""
        self._stop_drill.clear()
        if self.ending.is_set():
            return
        used = rehearsal.spending
        tokens, cost_usd = used.tokens, used.cost_usd
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
                if drill is not None:
                    entry = self._entry(
                        drill, version, faults, used.tokens - tokens, used.cost_usd - cost_usd
                    )
                    await self._write(entry)
                    await self._stop_if_felt(drill)
        finally:
            self.board.note(running=None)

    def _entry(
        self, drill: Drill, version: str, faults: Sequence[str], tokens: int, cost_usd: float
    ) -> DrillEntry:
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
            tokens=tokens,
            cost_usd=cost_usd,
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
        if row.outcome is Outcome.INCONCLUSIVE and row.kind is not None:
            reason = row.findings[-1].message if row.findings else row.kind.value
            await self.store.count_refusal(row.kind.value, reason)

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

    def _store_is_away(self, error: StoreError) -> None:
        if self.board.note(store_trouble=error.message):
            log.error("store.away", why=error.message, remedy=error.remedy)


def _accepted_until(known_gap: str | None, gaps: Sequence[Gap]) -> datetime | None:
    """Find the end of the day until which a failure is accepted."""
    for gap in gaps:
        if isinstance(gap, Accepted) and gap.source == known_gap:
            last_day = gap.entry.until + timedelta(days=1)
            return datetime.combine(last_day, time(), tzinfo=UTC)
    return None
