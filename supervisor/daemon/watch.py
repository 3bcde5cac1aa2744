"""What is watched: made from the settings and the gateway, looked at, remembered, and shown."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import structlog

from chaos.clock import Clock
from chaos.errors import UnderstudyError
from chaos.gateway.topology import Topology
from supervisor.daemon.board import Board
from supervisor.daemon.gateway import Connect
from supervisor.daemon.parts import Parts, engine_urls, to_know
from supervisor.probes.kinds.heartbeat import HeartbeatProbe
from supervisor.probes.own_health import LoopLag, OwnHealth
from supervisor.probes.probe import Part, PartKind, Probe, ProbeReading, State
from supervisor.probes.runner import Runner
from supervisor.probes.standing import Change, Standing, step, unseen
from supervisor.settings.model import Settings
from supervisor.status import PROVEN, UNCOUNTED
from supervisor.store.errors import StoreError
from supervisor.store.store import Store
from supervisor.web.events import Events

log = structlog.get_logger()

UNREHEARSED = timedelta(days=1)
"""An engine that nothing is rehearsed over is taken for what it has become after this."""

MOST_UNWRITTEN = 1_000
"""Changes that wait for a store that is away."""


@dataclass(slots=True)
class Watch:
    """Looks at everything that is to be watched, as long as it runs.

    Attributes:
        parts: Makes the probes.
        on_news: Called when a part has changed, or an engine was started anew.
        lag: Of the daemon's own event loop.
    """

    settings: Settings
    store: Store
    board: Board
    events: Events
    clock: Clock
    parts: Parts
    connect: Connect
    on_news: Callable[[], None]
    chance: Random = field(default_factory=Random)
    lag: LoopLag = field(init=False)
    _topology: Topology | None = None
    _standings: dict[Part, Standing] = field(default_factory=dict)
    _recalled: dict[Part, Standing] = field(default_factory=dict)
    _known: dict[Part, Any] = field(default_factory=dict)
    _unwritten: list[tuple[Standing, Change | None, Any]] = field(default_factory=list)
    _runner: Runner | None = None
    _again: asyncio.Event = field(default_factory=asyncio.Event)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.lag = LoopLag(self.clock)

    def use(self, settings: Settings) -> None:
        """Go on with other settings."""
        self.settings = settings
        self._again.set()

    def see(self, topology: Topology | None) -> None:
        """Watch the engines of the gateway as it is now."""
        if topology is not self._topology:
            self._topology = topology
            self._again.set()

    def wake(self, part: Part) -> None:
        """Look at *part* now."""
        if self._runner is not None:
            self._runner.wake(part)

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._recall()
        async with OwnHealth(self.lag, hosts=self._hosts) as own, asyncio.TaskGroup() as tasks:
            runner = self._runner = Runner(self.clock, self._take, own.trouble, self.chance)
            tasks.create_task(self.lag.run(), name="loop lag")
            tasks.create_task(runner.run(), name="probes")
            while True:
                settings = self.settings
                async with self._gateway_probe(settings) as gateway:
                    # The gateway stays open as long as its settings hold.
                    while settings is self.settings:
                        await self._watch(
                            runner, [*gateway, *self.parts.others(settings, self._topology)]
                        )
                        await self._again.wait()
                        self._again.clear()

    async def _watch(self, runner: Runner, probes: list[Probe]) -> None:
        """Look at these from now on, and forget what is watched no more."""
        parts = tuple(probe.part for probe in probes)
        self._standings = {part: self._known_of(part) for part in parts}
        self.board.note(
            parts=dict(self._standings),
            parts_known=True,
            engines_known=self._topology is not None or not self.settings.watch.enabled,
            only_fallbacks=self.settings.watch.engines_serve_only_fallbacks,
            expected=tuple(p.expected for p in probes if isinstance(p, HeartbeatProbe)),
        )
        runner.use(probes)
        try:
            await self.store.expect(tuple(self.settings.heartbeats))
            if self._topology is not None:
                # Before the gateway was read nobody knows which engines there are.
                await self.store.forget_parts(parts)
        except StoreError as error:
            log.warning("watch.not_written", why=error.message)

    def _known_of(self, part: Part) -> Standing:
        recalled = self._recalled.pop(part, None)
        return self._standings.get(part) or recalled or unseen(part, self.clock.now())

    async def beat(self, name: str) -> bool:
        """Take a client's sign of life; False if nobody waits for it.

        Raises:
            StoreError: It cannot be written.
        """
        taken = await self.store.beat(name)
        if taken:
            self.board.news()
            self.wake(Part(PartKind.HEARTBEAT, name))
        return taken

    async def _recall(self) -> None:
        """Begin with what the daemon before this one has seen."""
        try:
            stood = await self.store.stood()
        except StoreError as error:
            log.warning("watch.nothing_known", why=error.message)
            return
        for part, (standing, known) in stood.items():
            self._recalled[part], self._known[part] = standing, known
            self.parts.recall(part, known)

    def _hosts(self) -> Iterator[str]:
        for url in (
            self.settings.gateway.url,
            *engine_urls(self.settings, self._topology).values(),
        ):
            yield urlsplit(url or "").hostname or ""

    # --- what is looked at -----------------------------------------------------------

    @asynccontextmanager
    async def _gateway_probe(self, settings: Settings) -> AsyncIterator[list[Probe]]:
        """Open the gateway, with answers that must come sooner than a drill's."""
        watch = settings.watch
        if not watch.enabled:
            yield []
            return
        within_s = watch.answer_within.total_seconds()
        patient = settings.gateway.model_copy(update={"answer_within_s": within_s})
        try:
            connecting = self.connect(settings.model_copy(update={"gateway": patient}))
            gateway = await connecting.__aenter__()
        except UnderstudyError as error:
            # A key that vanished with a reload, say: the next one may bring it back.
            log.warning("watch.no_gateway", why=error.message, remedy=error.remedy)
            yield []
            return
        try:
            yield [self.parts.gateway(gateway, settings)]
        finally:
            await connecting.__aexit__(None, None, None)

    # --- what is found ---------------------------------------------------------------

    async def _take(self, probe: Probe, reading: ProbeReading, took_s: float) -> bool:
        part, now = reading.part, self.clock.now()
        before = self._standings.get(part)
        if before is None:
            return False  # It is watched no more.
        standing, change = step(before, reading, probe.cadence, now, took_s)
        self._standings[part] = standing
        self._show()
        if change is not None:
            self._tell(change)
        if standing.state is State.DRIFTED:
            await self._accept_what_is_proven(standing)
        if change is not None or _restarted(before, standing):
            self.on_news()
        await self._write(standing, change, to_know(reading, self._known.get(part)))
        return standing.doubt is not None

    def _show(self) -> None:
        self.board.note(parts=dict(self._standings))

    def _tell(self, change: Change) -> None:
        self.events.tell(
            "part.changed",
            {
                "part": str(change.part),
                "was": change.was.value,
                "state": change.state.value,
                "at": change.at.isoformat(),
                "reason": change.reason,
            },
        )
        log.info(
            "part.changed",
            part=str(change.part),
            was=change.was.value,
            state=change.state.value,
            why=change.reason,
        )

    async def _accept_what_is_proven(self, standing: Standing) -> None:
        """Take a changed engine for what it should be once every path over it has passed anew."""
        status = await self.board.status()
        over = [one for path, one in status.ledger.items() if path.hop == standing.part.name]
        # A known gap, or what is accepted, may never pass, and says nothing against the engine.
        passing = [one for one in over if one.passed_at is not None or one.state not in UNCOUNTED]
        proven = all(
            one.state in PROVEN | UNCOUNTED
            and one.passed_at is not None
            and one.passed_at > standing.since
            for one in passing
        )
        unrehearsed = not passing and self.clock.now() - standing.since >= UNREHEARSED
        if not (passing and proven) and not unrehearsed:
            return
        log.info("part.accepted", part=str(standing.part), changed=standing.reason)
        self.parts.accept(standing.part)
        self.wake(standing.part)

    async def _write(self, standing: Standing, change: Change | None, known: Any) -> None:
        """Write what has changed; a change that cannot be written waits for its turn."""
        if change is not None or known != self._known.get(standing.part):
            self._unwritten.append((standing, change, known))
            del self._unwritten[:-MOST_UNWRITTEN]
        self._known[standing.part] = known
        try:
            async with self._writing:
                while self._unwritten:
                    await self.store.note_standing(*self._unwritten[0])
                    del self._unwritten[0]
        except StoreError as error:
            self.board.store_is_away(error)


def _restarted(before: Standing, now: Standing) -> bool:
    was, is_ = (one.facts.get("seen", {}).get("started_at_s") for one in (before, now))
    return was is not None and is_ is not None and was != is_
