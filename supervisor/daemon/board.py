"""The newest snapshot, made from the store and what the daemon knows of itself."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from chaos.clock import Clock
from supervisor.baseline.record import Benchmark
from supervisor.baseline.standing import Speed, speed_of
from supervisor.coverage.ledger import FaultVerdict
from supervisor.daemon.audits import last_report
from supervisor.status import Condition, Lazily, Measured, PathStatus, Running, Status, why_next
from supervisor.store.errors import StoreError
from supervisor.store.halt_file import read_halt
from supervisor.store.store import Store
from supervisor.tally import Counting

log = structlog.get_logger()

YOUNG_S = 2.0
"""A snapshot is not made anew within this, unless something has happened."""


class Board:
    """Where the daemon notes what it knows, and where everybody reads it.

    Attributes:
        condition: What the daemon knows of itself, besides what it remembers.
        counting: Counts drills as they end.
        measure: Measures the daemon itself.
        on_news: Called whenever something has happened.
    """

    def __init__(self, store: Store, condition: Condition, clock: Clock, halt_file: Path) -> None:
        self.condition = condition
        self.counting = Counting()
        self._drilled = 0
        self._running: dict[str, Running] = {}
        self.measure: Callable[[], Measured] = Measured
        self.on_news: Callable[[], None] = lambda: None
        self._halt_file = halt_file
        self._store = store
        self._clock = clock
        self._snapshot: Status | None = None
        self._made_s = 0.0
        self._stale = True
        self._making = asyncio.Lock()

    def note(self, **changes: Any) -> bool:
        """Change what is known of the daemon; False if it was known already."""
        changed = replace(self.condition, **changes)
        if changed == self.condition:
            return False
        self.condition = changed
        self.news()
        return True

    def began(self, drill: Running) -> None:
        """Note that a drill has begun."""
        self._running[drill.id] = drill
        self._drilled += 1
        self.note(running=drill)

    def ended(self, name: str) -> None:
        """Note that a drill has ended; others may still run."""
        self._running.pop(name, None)
        self._drilled += 1
        self.note(running=next(iter(self._running.values()), None))

    def measures(self, engine: str | None) -> None:
        """Note that a benchmark of *engine* has begun; None: it has ended."""
        self._drilled += 1
        self.note(measuring=engine)

    def drilled(self) -> tuple[int, bool]:
        """Count what we send to engines as it begins and ends, and say whether something runs."""
        return self._drilled, bool(self._running) or self.condition.measuring is not None

    def store_is_away(self, error: StoreError) -> None:
        """Note that nothing can be written just now."""
        if self.note(store_trouble=error.message):
            log.error("store.away", why=error.message, remedy=error.remedy)

    def news(self) -> None:
        """Have the next snapshot made anew: something has happened."""
        self._stale = True
        self.on_news()

    async def status(self) -> Status:
        """Give the newest snapshot; the last one that could be made, while the store is away."""
        async with self._making:
            old = self._clock.monotonic() - self._made_s > YOUNG_S
            if self._snapshot is None or self._stale or old:
                self._stale = False
                self._snapshot = await self._made()
                self._made_s = self._clock.monotonic()
            return self._snapshot

    async def _made(self) -> Status:
        now = self._clock.now()
        try:
            known = await derived(self._store, self.condition, now, self._halt_file)
        except StoreError as error:
            self.condition = replace(self.condition, store_trouble=error.message)
            before = self._snapshot or Status(now, self.condition)
            known = replace(before, at=now, condition=self.condition, old=True)
        return replace(known, tally=self.counting.tally(), measured=self.measure())


async def derived(store: Store, condition: Condition, now: datetime, halt_file: Path) -> Status:
    """Make a snapshot.

    Raises:
        StoreError: The store cannot be read.
    """
    known = await store.known()
    report = await last_report(store)
    turn, next_due = await store.due(), await store.next_due()
    return Status(
        at=now,
        condition=condition,
        paths=Lazily(
            lambda: {
                path: PathStatus(record, _newest_first(verdicts.values()))
                for path, (record, verdicts) in known.paths().items()
            }
        ),
        records=Lazily(known.records),
        counts=await store.counts(),
        halt=read_halt(halt_file) or await store.halted(),
        refused=await store.refused(),
        changes=await store.changes(20),
        findings=report.findings if report is not None else (),
        audited=report is not None,
        used_today=await store.used_today(),
        daemons=await store.daemons(),
        part_changes=await store.part_changes(20),
        beats=await store.beats(),
        failures=await store.failures(),
        alerts=await store.alerts(),
        notifiers=await store.notifiers(),
        silences=await store.silences(),
        speeds=_speeds(await store.benchmarks()),
        rollouts=await store.newest_rollouts(),
        patches=await store.patches(),
        next_path=turn.record.path if turn else None,
        next_reason=why_next(turn.record if turn else None, next_due, now),
        next_due_at=None if turn else next_due,
    )


def _speeds(taken: Mapping[str, Sequence[Benchmark]]) -> dict[str, Speed]:
    """Sum up each engine's benchmarks; one that cannot be must not hide everything else."""
    found: dict[str, Speed] = {}
    for engine, benchmarks in taken.items():
        try:
            found[engine] = speed_of(benchmarks)
        except (ArithmeticError, ValueError):
            log.exception("speed.broken", engine=engine)
            found[engine] = Speed(tuple(benchmarks))
    return found


def _newest_first(verdicts: Any) -> tuple[FaultVerdict, ...]:
    key: Callable[[FaultVerdict], float] = lambda v: v.at.timestamp() if v.at else 0.0  # noqa: E731
    return tuple(sorted(verdicts, key=key, reverse=True))
