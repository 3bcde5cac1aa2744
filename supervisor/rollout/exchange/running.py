"""One swap that is going on: what it is about, who it asks, and what it has found."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from chaos.clock import Clock
from supervisor.baseline.record import Benchmark
from supervisor.probes.depths.ask import Line
from supervisor.rollout.docker_host import DockerHost
from supervisor.rollout.finding import Finding
from supervisor.rollout.journal import Journal
from supervisor.rollout.rollout_file import RolloutFile
from supervisor.settings.model import EngineSettings

GATES_TAKE = timedelta(minutes=10)
"""All of them together, at most: they are one step."""

ThroughGateway = Callable[[], Awaitable[Finding]]
"""Has the primary of every group fail that falls back to the engine, and says who answered."""


@dataclass(slots=True)
class Swapping:
    """Everything that a swap, or the way back, needs.

    Attributes:
        row: What was written down when it was staged.
        engine: Where the engine answers, and how.
        tools: Tool calls are part of what it has to do.
        baseline: What the new engine's speed is compared with; None: nothing.
        through_gateway: None where no gateway is named.
        quiet: Has whoever asks as a user ask nothing for a while.
        findings: What each gate found so far.
        log: Of the container that was started, as far as it was read.
    """

    host: DockerHost
    journal: Journal
    session: aiohttp.ClientSession
    clock: Clock
    file: RolloutFile
    row: Mapping[str, Any]
    folder: Path
    url: str
    key: str | None
    engine: EngineSettings
    tools: bool
    baseline: Benchmark | None = None
    through_gateway: ThroughGateway | None = None
    say: Callable[[str], None] = lambda _: None
    quiet: Callable[[bool], None] = lambda _: None
    findings: list[Finding] = field(default_factory=list)
    log: str = ""

    @property
    def name(self) -> str:
        """The container's name, whoever has it."""
        return self.file.container

    @property
    def old_id(self) -> str:
        """The container that served when it was staged."""
        return str(self.row["way_back"]["old_id"])

    @property
    def next_id(self) -> str:
        """The container that was staged."""
        return str(self.row["next"]["id"])

    @property
    def quiet_s(self) -> float:
        """How long the journal may stay as it is while this goes on: the longest step's limit."""
        limits = self.file.limits
        longest = max(limits.drain, limits.stop, limits.memory, limits.start)
        return (longest + GATES_TAKE).total_seconds()

    @property
    def model(self) -> str:
        """What the engine is asked for."""
        old = (self.row.get("old") or {}).get("names") or []
        return self.file.expect.model or (old[0] if old else "")

    def of_the_old(self) -> "Swapping":
        """The same for the engine that served before: it is asked what it was, no more."""
        old = self.row.get("old") or {}
        names = old.get("names") or [None]
        expect = self.file.expect.model_copy(
            update={"model": names[0], "context": None, "kv_tokens": None}
        )
        file = self.file.model_copy(update={"expect": expect})
        return replace(self, file=file, tools=bool(old.get("tools")))

    @property
    def line(self) -> Line:
        """Ask the engine, past the gateway."""
        return Line(self.session, self.clock, self.url, self.key)
