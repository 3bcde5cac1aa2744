"""A local engine, looked at as deep as it takes: cheap questions each time, others on doubt.

each look           health, names, metrics: nothing that reaches the model
once in a while     its tool-call flags; nothing is generated, and vLLM logs a refusal
idle, or in doubt   one token: only that shows whether an idle engine hangs
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from chaos.clock import Clock
from supervisor.engine.facts import EngineFacts
from supervisor.engine.residency import is_loaded, loaded_models
from supervisor.probes.depths.look import Depth, EngineReading, probe_engine
from supervisor.probes.depths.remembered import as_json, from_json, merged
from supervisor.probes.depths.seen import Limits
from supervisor.probes.probe import Cadence, Outcome, Part, PartKind, ProbeReading, State
from supervisor.settings.values import duration_text

FLAGS_EVERY_S = 600.0
WELL = (State.UP, State.BUSY)


@dataclass(frozen=True, slots=True)
class Target:
    """Which engine.

    Attributes:
        group: The model group that it serves.
        url: Its root, or its ``/v1``.
        asked_for: The names by which the gateway asks it for models.
        key: Its own key, if it wants one.
    """

    group: str
    url: str
    asked_for: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class OtherTraffic:
    """Requests that neither a drill nor a look has sent: users, directly or by a fallback.

    Attributes:
        last_at: When the last of them was seen.
    """

    since: datetime
    last_at: datetime
    count: int


Drilled = Callable[[], tuple[int, bool]]
"""Counts drills as they begin and end, and says whether one runs."""


@dataclass(slots=True)
class EngineMemory:
    """What is known of one engine from looks before; it outlives a probe that is replaced.

    Attributes:
        was: What it is compared with; None before the first look.
        now: What it was when it was seen last.
        steps: Its heartbeat then; None if it has none.
        flags_at_s: When its flags were asked for last, monotonic, ...
        token_at_s: ... and when it was last seen to work, or not to.
        served: Requests that it had ended then; None if it does not say.
        drilled: Drills that had begun and ended then.
        traffic: Of others, as far as it was seen while no drill ran.
    """

    was: EngineFacts | None = None
    now: EngineFacts | None = None
    steps: float | None = None
    flags_at_s: float = -1e9
    token_at_s: float = -1e9
    served: float | None = None
    drilled: int = -1
    traffic: OtherTraffic | None = None

    @classmethod
    def of(cls, written: Any) -> "EngineMemory":
        """Begin with what an earlier daemon has written down of it, if anything."""
        return cls(was=from_json(written))

    def accept(self) -> None:
        """Take what it is now for what it should be."""
        self.was = self.now


class EngineProbe:
    """Looks at one engine.

    Facts: ``seen``: what it is now, as ``remembered`` writes it; ``was``: what it is compared
    with; ``steps``: its heartbeat, or None; ``traffic``: ``{since, last_at, count}`` of requests
    of others, or None if there were none lately.

    Args:
        drilled: Requests are those of others only while no drill ran.
        quiet: Without such a request for so long there are none any more.
        token_every_s: How often an idle engine is asked for one token.
    """

    across_network = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        target: Target,
        cadence: Cadence,
        memory: EngineMemory,
        *,
        drilled: Drilled = lambda: (0, False),
        quiet: timedelta = timedelta(minutes=10),
        token_every_s: float = 60.0,
        limits: Limits | None = None,
    ) -> None:
        self.part = Part(PartKind.ENGINE, target.group)
        self.cadence = cadence
        self.target = target
        self._session = session
        self._clock = clock
        self._drilled = drilled
        self._quiet = quiet
        self._token_every_s = token_every_s
        self._memory = memory
        self._limits = limits or Limits()

    async def probe(self, now: datetime) -> ProbeReading:
        """Look once, and deeper where that left a doubt."""
        reading = await self._look(self._depth())
        if await self._wants_token(reading):
            reading = await self._look(Depth.GENERATION)
        self._note(reading)
        self._count(reading, now)
        traffic = self._memory.traffic
        facts = {
            "seen": as_json(reading.facts),
            "was": None if self._memory.was is None else as_json(self._memory.was),
            "steps": self._memory.steps,
            "traffic": traffic
            and {
                "since": traffic.since.isoformat(),
                "last_at": traffic.last_at.isoformat(),
                "count": traffic.count,
            },
        }
        return ProbeReading(self.part, reading.state, self._reason(reading), reading.steps, facts)

    def _reason(self, reading: EngineReading) -> str:
        asked = {step.name for step in reading.steps}
        if reading.state is not State.UP or "generation" in asked:
            return reading.reason
        age = timedelta(seconds=self._clock.monotonic() - self._memory.token_at_s)
        return f"it answers; it was last seen to generate {duration_text(age)} ago"

    def _depth(self) -> Depth:
        due = self._clock.monotonic() - self._memory.flags_at_s >= FLAGS_EVERY_S
        return Depth.TOOLS if due else Depth.METRICS

    async def _look(self, depth: Depth) -> EngineReading:
        reading = await probe_engine(
            self._session,
            self.target.url,
            group=self.target.group,
            asked_for=self.target.asked_for,
            key=self.target.key,
            depth=depth,
            previous=self._memory.was,
            # Whether several engines answer in turn is asked only in the deeper looks.
            limits=replace(self._limits, who_s=0.0) if depth < Depth.TOOLS else self._limits,
            clock=self._clock,
        )
        if depth is Depth.METRICS and self._restarted(reading.facts):
            # Only the deeper questions tell with which flags it came back.
            return await self._look(Depth.GENERATION)
        return reading

    def _restarted(self, facts: EngineFacts) -> bool:
        known = self._memory.now
        before = known.started_at_s if known is not None else None
        return before is not None and facts.started_at_s not in (None, before)

    async def _wants_token(self, reading: EngineReading) -> bool:
        """Only one token tells an idle engine from one that hangs; not where that loads a model."""
        if any(step.name == "generation" for step in reading.steps):
            return False
        if reading.state is State.DOWN or reading.facts.names is None:
            return False
        due = self._clock.monotonic() - self._memory.token_at_s >= self._token_every_s
        doubt = reading.state not in WELL and reading.state is not State.DRIFTED
        if not (doubt or (due and not self._moved(reading))):
            return False
        loaded = await loaded_models(self._session, self.target.url, self.target.key)
        return loaded is None or any(is_loaded(name, loaded) for name in self.target.asked_for)

    def _count(self, reading: EngineReading, now: datetime) -> None:
        """Count the requests of others since the look before, if no drill ran meanwhile."""
        memory = self._memory
        drilled, running = self._drilled()
        undisturbed = not running and drilled == memory.drilled
        if undisturbed and None not in (memory.served, reading.served):
            own = sum(s.name == "generation" and s.outcome is Outcome.OK for s in reading.steps)
            more = int((reading.served or 0) - (memory.served or 0)) - own
            if more > 0:
                before = memory.traffic or OtherTraffic(now, now, 0)
                memory.traffic = OtherTraffic(before.since, now, before.count + more)
        if memory.traffic is not None and abs(now - memory.traffic.last_at) >= self._quiet:
            memory.traffic = None
        memory.served, memory.drilled = reading.served, -1 if running else drilled

    def _moved(self, reading: EngineReading) -> bool:
        """It has worked since the look before, for whomever."""
        before, now = self._memory.steps, reading.heartbeat
        return before is not None and now is not None and now > before

    def _note(self, reading: EngineReading) -> None:
        asked = {step.name for step in reading.steps}
        memory, at_s = self._memory, self._clock.monotonic()
        if "tools" in asked:
            memory.flags_at_s = at_s
        # One that gave no token is asked again with the next look.
        gave = any(s.name == "generation" and s.outcome is Outcome.OK for s in reading.steps)
        if gave or self._moved(reading):
            memory.token_at_s = at_s
        memory.steps = reading.heartbeat
        if reading.facts.names is None:
            return
        now = memory.now = merged(memory.now, reading.facts)
        # What was not asked before is learnt of the engine that it always was.
        memory.was = now if memory.was is None else merged(now, memory.was)
