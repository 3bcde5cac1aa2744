"""What happens in a drill, written down and told: store first, then log, board and events.

Invariant: a drill that has ended is written before anything else is done; while it cannot be
written nothing is drilled.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import structlog

from chaos.clock import Clock
from chaos.drill.drill import MAY_RUN, Drill
from chaos.drill.events import CampaignPlanned, DrillEnded, DrillStarted, Event
from chaos.drill.report import DrillRow, is_partial, row_of
from chaos.drill.spending import Spending, attempts_used
from chaos.judge.check import Finding, Kind
from chaos.judge.known_gaps import Gap
from chaos.scenario.scenario import FallbackPath
from supervisor.campaign.accepted import Accepted
from supervisor.campaign.request import DrillRequest, known_gaps
from supervisor.daemon.board import Board
from supervisor.daemon.guard import by_provider
from supervisor.settings.model import Settings
from supervisor.status import FELT, Running
from supervisor.store.errors import StoreError
from supervisor.store.records import DrillEntry, Halt, Transition
from supervisor.store.store import Store
from supervisor.web.events import Events

log = structlog.get_logger()

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
"""Between tries to write what cannot be written."""

REFUSED_PAUSE_S, BUDGET_PAUSE_S = 60.0, 900.0
"""Until a path whose drill was refused is looked at again."""

LAST_TRIES = 4
"""To write a drill down, a second apart, when the daemon is to end."""


@dataclass(frozen=True, slots=True)
class Order:
    """By what drills are run.

    Attributes:
        version: LiteLLM's.
        faults_of: Gives the faults that take turns on a path.
        campaign: The campaign's id; None for a drill that was due by itself.
        spending: What the campaign has used so far.
        about: What is told of the campaign before its first drill.
    """

    settings: Settings
    version: str
    faults_of: Callable[[FallbackPath], Sequence[str]]
    request: DrillRequest = field(default_factory=DrillRequest)
    campaign: str | None = None
    spending: Spending | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Recorder:
    """Takes what happens, one event after the other.

    Attributes:
        ending: The daemon is to end: what cannot be written is tried a few times more.
        on_felt: Called with the halt that begins when other traffic has felt a drill.
    """

    store: Store
    board: Board
    clock: Clock
    events: Events
    ending: asyncio.Event
    on_felt: Callable[[Halt], None]

    async def take(self, event: Event, order: Order) -> None:
        """Write down what has happened, and tell it."""
        if isinstance(event, CampaignPlanned):
            if order.campaign is not None:
                self._tell("campaign.planned", order, {"drills": len(event.plans), **order.about})
        elif isinstance(event, DrillStarted):
            plan = event.plan
            self.board.began(Running(plan.id, plan.scenario.key, self.clock.now()))
            self._tell("drill.started", order, {"id": plan.id, "scenario": plan.scenario.key})
        elif isinstance(event, DrillEnded):
            try:
                await self._ended(event.drill, order)
            finally:
                self.board.ended(event.drill.plan.id)
        elif event.revised is not None:
            await self._ended(event.revised, order)

    async def _ended(self, drill: Drill, order: Order) -> None:
        now = self.clock.now()
        gaps = known_gaps(order.settings, order.request, now.date())
        row = row_of(drill, litellm_version=order.version, gaps=gaps)
        refusal = refusal_of(drill)
        if refusal is not None:
            await self._refused(drill, refusal)
        else:
            entry = _entry(drill, row, now, gaps, order)
            await self._write(entry, felt=bool(drill.seen.collateral))
            await self._stop_if_felt(drill)
        told: dict[str, object] = {"drill": row.model_dump(mode="json")}
        if order.spending is not None:
            told["spent"] = order.spending.used
        self._tell("drill.ended", order, told)

    async def _refused(self, drill: Drill, refusal: Finding) -> None:
        """Count a drill that may not be now, and look at its path again in a while."""
        kind = refusal.kind.value if refusal.kind is not None else "refused"
        await self.store.count_refusal(kind, refusal.message)
        pause_s = BUDGET_PAUSE_S if refusal.kind is Kind.OVER_BUDGET else REFUSED_PAUSE_S
        path = drill.plan.scenario.path
        await self.store.let_go(path, self.clock.now() + timedelta(seconds=pause_s))
        self.board.news()
        log.info("drill.refused", path=str(path), kind=kind, why=refusal.message)

    async def _write(self, entry: DrillEntry, *, felt: bool) -> None:
        """Write a drill down; wait for the store as long as it takes, and drill nothing else."""
        row, wait_s, tries_left = entry.row, FIRST_WAIT_S, LAST_TRIES
        change = None
        while tries_left:
            try:
                change = await self.store.add_drill(entry)
                break
            except StoreError as error:
                self.board.store_is_away(error)
                tries_left -= self.ending.is_set()
                await self._pause(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
        else:
            # The log is the last place that is left to keep it.
            log.error("drill.not_written", drill=row.id, row=row.model_dump_json())
            return
        self.board.note(store_trouble=None)
        self.board.news()
        took_s = (entry.ended_at - row.started_at).total_seconds()
        self.board.counting.add(row, hop=entry.path.hop, took_s=took_s, collateral=felt)
        log.info(
            "drill.ended",
            drill=row.id,
            campaign=entry.campaign,
            path=str(entry.path),
            fault=row.scenario.fault,
            outcome=row.outcome.value,
            kind=row.kind.value if row.kind else None,
            known_gap=row.known_gap,
            served_by=row.reply.served_by,
            state=change.state.value if change else None,
            took_s=round(took_s, 3),
        )
        if change is not None:
            self.tell_change(change)

    async def _stop_if_felt(self, drill: Drill) -> None:
        """Drill nothing more once other traffic has felt a drill, until a person says so."""
        if not drill.seen.collateral:
            return
        halt = Halt(
            f"{FELT} {drill.plan.id}: {drill.seen.collateral[0]}",
            self.clock.now(),
            daemon=self.board.condition.daemon,
        )
        self.on_felt(halt)
        await self.store.halt(halt)
        log.error("halted", reason=halt.reason)

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

    def tell_change(self, change: Transition) -> None:
        """Tell that a path has changed its state."""
        self.events.tell(
            "path.changed",
            {
                "path": str(change.path),
                "was": change.was.value,
                "state": change.state.value,
                "at": change.at.isoformat(),
            },
        )

    def _tell(self, name: str, order: Order, data: dict[str, object]) -> None:
        self.events.tell(name, data, campaign=order.campaign)


def refusal_of(drill: Drill) -> Finding | None:
    """Say why a drill was not run; None if it was."""
    found = next((f for f in drill.verdict.findings if f.check == MAY_RUN), None)
    return found if drill.requests == 0 else None


def _entry(
    drill: Drill, row: DrillRow, now: datetime, gaps: Sequence[Gap], order: Order
) -> DrillEntry:
    path = drill.plan.scenario.path
    return DrillEntry(
        path=path,
        row=row,
        ended_at=now,
        seen=drill.seen,
        accepted_until=_accepted_until(row.known_gap, gaps),
        partial=is_partial(row),
        faults=order.faults_of(path),
        campaign=order.campaign,
        requests=drill.requests,
        used=by_provider(attempts_used(drill)),
    )


def _accepted_until(known_gap: str | None, gaps: Sequence[Gap]) -> datetime | None:
    """Find the end of the day until which a failure is accepted."""
    for gap in gaps:
        if isinstance(gap, Accepted) and gap.source == known_gap:
            last_day = gap.entry.until + timedelta(days=1)
            return datetime.combine(last_day, time(), tzinfo=UTC)
    return None
