"""The store: every question and every change that the daemon has, one transaction each."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import URL

from chaos.clock import Clock
from chaos.scenario.scenario import FallbackPath
from supervisor.baseline.record import Benchmark
from supervisor.coverage.ledger import FaultVerdict, LedgerPath, Wish
from supervisor.probes.kinds.heartbeat import Beats
from supervisor.probes.probe import Part
from supervisor.probes.standing import Change, Standing
from supervisor.store import (
    budgets,
    campaigns,
    drills,
    halts,
    memory,
    paths,
    turns,
    upkeep,
    watched,
)
from supervisor.store.alerts import changes, deliveries, failures, silences
from supervisor.store.alerts.records import (
    AlertChange,
    AlertState,
    Delivery,
    NotifierRecord,
    Silence,
    Told,
)
from supervisor.store.database import Database
from supervisor.store.engines import benchmarks, patches, rollouts
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout
from supervisor.store.records import (
    Counts,
    DayLimits,
    DrillEntry,
    DrillFilter,
    Halt,
    Home,
    KnownDaemon,
    Refused,
    StandingFailure,
    StoredDrill,
    Transition,
    Turn,
    Used,
)


class Store:
    """What survives a restart, as one daemon sees it.

    What a call has written is on the disk when it returns; it outlives ``kill -9`` and power
    failures. Every call may raise ``StoreError``; then nothing of it was written, unless a
    database across a network went away in mid-commit: a drill may then be written twice, under
    one id.

    Attributes:
        where: Its place, for people.
    """

    def __init__(self, database: Database, home: Home, clock: Clock) -> None:
        self.where = database.where
        self._database = database
        self._home = home
        self._clock = clock
        self._benchmarks: benchmarks.Known = {}

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, url: URL, home: Home, clock: Clock, *, create: bool = True
    ) -> AsyncIterator["Store"]:
        """Open the store at *url*, and close it at exit.

        Args:
            create: Make a store that is missing, and bring an older one up to date.

        Raises:
            StoreError: It cannot be opened, is damaged, or belongs to a newer Understudy.
        """
        async with Database.opened(url, create=create) as database:
            yield cls(database, home, clock)

    # --- drills ------------------------------------------------------------------------

    async def add_drill(self, entry: DrillEntry) -> Transition | None:
        """Write a drill that has ended, with everything that follows from it, at once."""
        return await self._database.write(drills.add, self._home, entry, self._clock.now())

    async def drill(self, name: str) -> StoredDrill | None:
        """Find one drill by its id, with its evidence."""
        return await self._database.read(drills.find, name)

    async def drills(self, wanted: DrillFilter | None = None) -> tuple[StoredDrill, ...]:
        """List drills, newest first."""
        return await self._database.read(drills.find_all, wanted or DrillFilter())

    async def begin_campaign(self, name: str, asked_for: Any, planned: int) -> None:
        """Write that a campaign begins."""
        now = self._clock.now()
        await self._database.write(campaigns.begin, self._home, name, asked_for, planned, now)

    async def end_campaign(self, name: str, *, stopped: bool) -> None:
        """Write that a campaign has ended."""
        await self._database.write(campaigns.end, name, self._clock.now(), stopped=stopped)

    async def end_campaigns(self) -> int:
        """End what a killed daemon of this name has left running."""
        return await self._database.write(campaigns.end_all, self._home, self._clock.now())

    # --- the ledger --------------------------------------------------------------------

    async def sync(self, wanted: Mapping[FallbackPath, Wish]) -> int:
        """Bring the ledger up to what is rehearsed now; tells how many paths are due by that."""
        return await self._database.write(paths.sync, self._home, wanted, self._clock.now())

    async def due(self) -> Turn | None:
        """Find the most urgent path of what is due; None if nothing is."""
        return await self._database.read(turns.due, self._home, self._clock.now())

    async def next_due(self) -> datetime | None:
        """Say when the next path is due, or was."""
        return await self._database.read(turns.next_due, self._home.gateway)

    async def claim(self, lease_s: float) -> Turn | None:
        """Take the most urgent path that is due and that no other daemon drills."""
        return await self._database.write(turns.claim, self._home, self._clock.now(), lease_s)

    async def renew(self, path: FallbackPath, until: datetime) -> bool:
        """Hold a path longer; False where another daemon has taken it meanwhile."""
        return await self._database.write(turns.renew, self._home, path, until)

    async def let_go(self, path: FallbackPath, due_at: datetime | None = None) -> None:
        """Hold a path no longer, and look at it again at *due_at*."""
        await self._database.write(turns.let_go, self._home, path, due_at)

    async def verdicts(self, path: FallbackPath) -> dict[str, FaultVerdict]:
        """Read what is known of each fault on *path*."""
        return await self._database.read(paths.verdicts_on, self._home, path)

    async def turn(self) -> list[Transition]:
        """Change the states that time changes, and note when each became true."""
        return await self._database.write(turns.turn, self._clock.now(), self._home.gateway)

    async def ledger(self) -> dict[FallbackPath, LedgerPath]:
        """Read every path that is rehearsed."""
        return await self._database.read(paths.ledger, self._home.gateway)

    async def known(self) -> paths.KnownPaths:
        """Read every path that is rehearsed with its verdicts, of one moment."""
        return await self._database.read(paths.known, self._home.gateway)

    async def changes(self, limit: int = 100) -> tuple[Transition, ...]:
        """List how paths changed, newest first."""
        return await self._database.read(paths.changes, self._home.gateway, limit)

    async def counts(self) -> Counts:
        """Count the paths by state, and the drills of today (UTC) by outcome."""
        day = self._clock.now().date().isoformat()
        return await self._database.read(paths.counts, self._home.gateway, day)

    async def gateways(self) -> tuple[str, ...]:
        """List the gateways that have paths here."""
        return await self._database.read(paths.gateways)

    # --- budgets -----------------------------------------------------------------------

    async def seconds_at(self, hop: str, since: datetime) -> float:
        """Add up how long the drills took in which *hop* had to serve, since then."""
        drilled_s = await self._database.read(drills.seconds_at, self._home, hop, since)
        return drilled_s + await self._database.read(benchmarks.seconds, self._home, hop, since)

    async def used_today(self) -> dict[str, Used]:
        """Report what is spent or reserved today (UTC), by provider."""
        return await self._database.read(budgets.by_provider, self._clock.now().date())

    async def reserve(self, drill: str, most: Mapping[str, Used], limits: DayLimits) -> str | None:
        """Set aside what a drill may use at most, or say what forbids it."""
        day = self._clock.now().date()
        return await self._database.write(budgets.reserve, drill, day, most, limits)

    # --- halts and refusals ------------------------------------------------------------

    async def halt(self, begun: Halt) -> None:
        """Begin a halt, in place of an earlier one for the same daemons."""
        await self._database.write(halts.halt, begun)

    async def resume(self, daemon: str | None = None) -> bool:
        """End the halts of *daemon*, or those of all daemons; False if there was none."""
        return await self._database.write(halts.resume, daemon, self._clock.now())

    async def halted(self) -> Halt | None:
        """Find the halt that holds now."""
        return await self._database.read(halts.halted, self._home.daemon, self._clock.now())

    async def count_refusal(self, kind: str, reason: str) -> None:
        """Count a drill that was due and was refused."""
        await self._database.write(
            memory.count_refusal, self._home, kind, reason, self._clock.now()
        )

    async def refused(self) -> tuple[Refused, ...]:
        """List what was refused today (UTC)."""
        day = self._clock.now().date().isoformat()
        return await self._database.read(memory.refused, self._home, day)

    # --- what is watched ---------------------------------------------------------------

    async def note_standing(self, standing: Standing, change: Change | None, known: Any) -> None:
        """Write how a part stands, the change that led there, and what its probe must know."""
        await self._database.write(
            watched.note_standing, self._home, standing, change, known, self._clock.now()
        )

    async def stood(self) -> dict[Part, tuple[Standing, Any]]:
        """Read how the parts stood last, and what their probes are to know."""
        return await self._database.read(watched.stood, self._home)

    async def forget_parts(self, parts: tuple[Part, ...]) -> None:
        """Forget how parts stood, but for *parts*."""
        await self._database.write(watched.forget_parts, self._home, parts)

    async def part_changes(self, limit: int = 100) -> tuple[Change, ...]:
        """List how watched parts changed, newest first."""
        return await self._database.read(watched.part_changes_of, self._home, limit)

    async def expect(self, names: tuple[str, ...]) -> None:
        """Wait for the heartbeats of *names*, and for no others."""
        await self._database.write(watched.expect, self._home, names, self._clock.now())

    async def beat(self, name: str) -> bool:
        """Take a sign of life; False if nobody waits for it."""
        return await self._database.write(watched.beat, self._home, name, self._clock.now())

    async def beats(self) -> Mapping[str, Beats]:
        """Read every heartbeat that is waited for, by name."""
        return await self._database.read(watched.beats, self._home)

    # --- alerts ------------------------------------------------------------------------

    async def failures(self) -> tuple[StandingFailure, ...]:
        """List every failure that stands, with the newest drill of each group and hop."""
        return await self._database.read(failures.standing, self._home, self._clock.now())

    async def alerts(self) -> tuple[AlertState, ...]:
        """Read every alert that is pending or fires."""
        return await self._database.read(changes.alert_states, self._home)

    async def write_alerts(
        self,
        states: Sequence[AlertState],
        told: Sequence[tuple[AlertChange, Sequence[str]]],
    ) -> None:
        """Write how alerts stand, and what is to be told to which notifiers, at once."""
        now = self._clock.now()
        await self._database.write(changes.write_alerts, self._home, states, told, now)

    async def told(self, limit: int = 100) -> tuple[Told, ...]:
        """List what was told, newest first, with its deliveries."""
        return await self._database.read(changes.told, self._home, limit)

    async def next_delivery(self, notifier: str) -> Delivery | None:
        """Find what *notifier* is to be told next; None if nothing is due."""
        now = self._clock.now()
        return await self._database.read(deliveries.next_delivery, self._home, notifier, now)

    async def next_delivery_at(self, notifier: str) -> datetime | None:
        """Say when the next delivery to *notifier* is due, or was."""
        return await self._database.read(deliveries.next_due_at, self._home, notifier)

    async def end_delivery(
        self, one: Delivery, *, taken: bool, result: str, detail: str = ""
    ) -> None:
        """Write that a delivery was taken, or is given up."""
        await self._database.write(
            deliveries.end_delivery,
            one,
            taken=taken,
            result=result,
            detail=detail,
            now=self._clock.now(),
        )

    async def postpone(self, one: Delivery, *, result: str, detail: str, due_at: datetime) -> None:
        """Write that a delivery is to be tried again at *due_at*."""
        await self._database.write(
            deliveries.postpone, one, result=result, detail=detail, due_at=due_at
        )

    async def end_unknown_deliveries(self, known: Sequence[str]) -> int:
        """Give up what waits for notifiers that are not *known*."""
        return await self._database.write(
            deliveries.end_unknown, self._home, known, self._clock.now()
        )

    async def notifiers(self) -> dict[str, NotifierRecord]:
        """Say how deliveries to each notifier go."""
        return await self._database.read(deliveries.notifier_records, self._home)

    async def silence(self, matchers: Mapping[str, str], reason: str, until: datetime) -> Silence:
        """Begin a silence."""
        now = self._clock.now()
        return await self._database.write(
            silences.silence, self._home, matchers, reason, until, now
        )

    async def end_silence(self, number: int) -> bool:
        """End a silence before its time; False if there is none of this number."""
        return await self._database.write(
            silences.end_silence, self._home, number, self._clock.now()
        )

    async def silences(self) -> tuple[Silence, ...]:
        """List the silences that hold."""
        return await self._database.read(silences.silences_of, self._home, self._clock.now())

    # --- benchmarks --------------------------------------------------------------------

    async def add_benchmark(self, one: Benchmark) -> bool:
        """Write a benchmark; False if it is there already."""
        return await self._database.write(benchmarks.add, self._home, one)

    async def benchmarks(self) -> Mapping[str, tuple[Benchmark, ...]]:
        """Read the newest benchmarks of every engine, oldest first, by engine."""
        return await self._database.read(benchmarks.read, self._home, self._benchmarks)

    # --- rollouts ----------------------------------------------------------------------

    async def begin_rollout(
        self, name: str, *, engine: str, container: str, state: str, row: Any
    ) -> None:
        """Write a new swap of an engine."""
        await self._database.write(
            rollouts.begin,
            self._home,
            name,
            engine=engine,
            container=container,
            state=state,
            row=row,
            now=self._clock.now(),
        )

    async def note_rollout_step(self, name: str, step: str, state: str, detail: Any) -> None:
        """Write that a step begins, before it does; or how it ended."""
        now = self._clock.now()
        await self._database.write(rollouts.note_step, name, step, state, detail, now)

    async def change_rollout(self, name: str, *, state: str, row: Mapping[str, Any]) -> None:
        """Write what a swap is now; *row* is laid over what is known of it."""
        now = self._clock.now()
        await self._database.write(rollouts.change, name, state=state, row=row, now=now)

    async def rollouts(self, container: str | None = None) -> tuple[JournalRollout, ...]:
        """Read the newest swaps, the newest first, with their steps."""
        return await self._database.read(rollouts.read, self._home, container)

    async def newest_rollouts(self) -> tuple[JournalRollout, ...]:
        """Read the newest swap of each container, without its steps."""
        return await self._database.read(rollouts.newest, self._home)

    async def note_patches(self, looks: Iterable[PatchLook]) -> tuple[PatchLook, ...]:
        """Write what mounted files replace; returns it with what each was made for."""
        return await self._database.write(patches.note, self._home, tuple(looks))

    async def patches(self) -> tuple[PatchLook, ...]:
        """Read every look at what mounted files replace, the newest last."""
        return await self._database.read(patches.read, self._home)

    # --- single values -----------------------------------------------------------------

    async def remember(self, name: str, value: Any) -> None:
        """Keep *value*, as JSON, under *name*."""
        await self._database.write(memory.remember, self._home, name, value, self._clock.now())

    async def recall(self, name: str) -> Any:
        """Read what is kept under *name*; None if nothing is."""
        return await self._database.read(memory.recall, self._home, name)

    async def sign_in(self, *, version: str, started_at: datetime) -> None:
        """Note that this daemon is alive."""
        await self._database.write(
            memory.sign_in,
            self._home,
            version=version,
            started_at=started_at,
            now=self._clock.now(),
        )

    async def daemons(self) -> tuple[KnownDaemon, ...]:
        """List the daemons that have used this store."""
        return await self._database.read(memory.known_daemons)

    async def bring_back(self, *, pauses: bool = True) -> None:
        """Let nothing have happened later than now: the clock was set back.

        Args:
            pauses: It certainly was, so that no pause of a delivery is to be trusted.
        """
        await self._database.write(turns.bring_back, self._clock.now(), pauses=pauses)

    # --- upkeep ------------------------------------------------------------------------

    async def check(self) -> tuple[str, ...]:
        """Look for damage; nothing if all is well."""
        return await self._database.read(upkeep.check)

    async def quick_check(self) -> tuple[str, ...]:
        """Look for damage that shows at once; nothing if there is none."""
        return await self._database.read(upkeep.quick_check)

    async def vacuum(self) -> None:
        """Give free pages back to the disk."""
        await self._database.alone(upkeep.vacuum)

    async def retention(self, limits: upkeep.Limits) -> int:
        """Delete what need not be kept, in small steps; tells how many rows went."""
        gone = 0
        while step := await self._database.write(upkeep.step, limits, self._clock.now()):
            gone += step
        return gone
