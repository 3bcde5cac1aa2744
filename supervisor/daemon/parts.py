"""The parts that are to be watched, as the settings and the gateway name them, each with its probe.

What a probe has learnt outlives it: a reload makes new ones, which go on where the old ones were.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from chaos.clock import Clock
from chaos.gateway.client import Gateway
from chaos.gateway.fallback_counts import key_hash
from chaos.gateway.topology import Topology
from supervisor.audit.facts import engine_keys
from supervisor.daemon.gateway import local_engines
from supervisor.probes.fallback_traffic import FallbackTraffic
from supervisor.probes.kinds.container import ContainerProbe
from supervisor.probes.kinds.engine import Drilled, EngineMemory, EngineProbe, Target
from supervisor.probes.kinds.gateway import GatewayProbe
from supervisor.probes.kinds.heartbeat import Beats, Expected, HeartbeatProbe
from supervisor.probes.kinds.host import HostLimits, HostProbe
from supervisor.probes.probe import Cadence, Part, PartKind, Probe, ProbeReading
from supervisor.settings.model import Settings

BEAT_CADENCE = Cadence(every=timedelta(seconds=15), failing=1, recovering=1)
"""How often it is looked whether a heartbeat is late; one that comes is seen at once."""

ENGINES = frozenset({"hosted_vllm", "vllm", "ollama", "ollama_chat", "lm_studio", "llamafile"})
"""LiteLLM's providers that are engines, not services."""


@dataclass(slots=True)
class Parts:
    """Makes the probes, and keeps what they have learnt.

    Attributes:
        session: Towards engines.
        folder: Where the store's file is, whose disk is looked at; None for a server.
        beats: Reads what came of every heartbeat.
        drilled: Counts drills as they begin and end, and says whether one runs.
    """

    session: aiohttp.ClientSession
    clock: Clock
    folder: Path | None
    beats: Callable[[], Awaitable[Mapping[str, Beats]]]
    drilled: Drilled = lambda: (0, False)
    _engines: dict[str, EngineMemory] = field(default_factory=dict)
    _containers: dict[str, ContainerProbe] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict)
    _traffic: FallbackTraffic | None = None

    def recall(self, part: Part, known: Any) -> None:
        """Begin with what the daemon before this one knew of *part*."""
        if part.kind is PartKind.ENGINE:
            self._engines[part.name] = EngineMemory.of(known)
        elif part.kind is PartKind.CONTAINER:
            self._known[part.name] = known

    def accept(self, part: Part) -> None:
        """Take what *part* has become for what it should be."""
        if part.kind is PartKind.ENGINE:
            self._engines[part.name].accept()
        elif part.kind is PartKind.CONTAINER:
            self._containers[part.name].accept()

    def gateway(self, gateway: Gateway, settings: Settings) -> Probe:
        """Look at the gateway."""
        own, quiet = key_hash(gateway.key), settings.watch.fallback_quiet
        if self._traffic is None or self._traffic.own_key != own:
            self._traffic = FallbackTraffic(own, quiet)
        self._traffic.quiet = quiet
        return GatewayProbe(gateway, self.clock, _cadence(settings), self._traffic)

    def others(self, settings: Settings, topology: Topology | None) -> Iterator[Probe]:
        """Look at everything else."""
        watch, cadence = settings.watch, _cadence(settings)
        for name, beat in settings.heartbeats.items():
            expected = Expected(name, beat.period, beat.grace)
            yield HeartbeatProbe(expected, self._beats_of(name), BEAT_CADENCE)
        if not watch.enabled:
            return
        yield HostProbe(cadence, self.folder, HostLimits(memory_ratio=watch.low_memory_ratio))
        keys, _ = engine_keys(settings.engines)
        for group, url in engine_urls(settings, topology).items():
            yield EngineProbe(
                self.session,
                self.clock,
                Target(group, url, _asked_for(group, topology), keys.get(group)),
                cadence,
                self._engines.setdefault(group, EngineMemory()),
                drilled=self.drilled,
                quiet=watch.fallback_quiet,
                token_every_s=watch.token_every.total_seconds(),
            )
        if watch.docker:
            yield from self._container_probes(settings, cadence)

    def _container_probes(self, settings: Settings, cadence: Cadence) -> Iterator[Probe]:
        for group, engine in settings.engines.items():
            if engine.container is None:
                continue
            probe = self._containers.get(group)
            if probe is None or (probe.container, probe.cadence) != (engine.container, cadence):
                known = self._known.get(group)
                if probe is not None and probe.container == engine.container:
                    known = probe.baseline
                probe = ContainerProbe(group, engine.container, cadence, previous=known)
                self._containers[group] = probe
            yield probe

    def _beats_of(self, name: str) -> Callable[[], Awaitable[Beats]]:
        async def beats() -> Beats:
            return (await self.beats()).get(name) or Beats(name, self.clock.now(), None, 0)

        return beats


def engine_urls(settings: Settings, topology: Topology | None) -> dict[str, str]:
    """Say where each engine is that the settings name, or that the gateway falls back to.

    What is local and neither a fallback nor of an engine's provider is a proxy to somebody else.
    """
    named = settings.engine_urls
    if topology is None:
        return named
    fallbacks = {hop for chain in topology.chains for hop in chain.fallbacks}
    found = {
        group: url
        for group, url in local_engines(topology, named).items()
        if group in fallbacks or _is_engine(group, topology)
    }
    return found | named


def to_know(reading: ProbeReading, known: Any) -> Any:
    """Pick what the part's next probe must know after a restart.

    Args:
        known: What it is to know so far; it holds where a look has learnt nothing.
    """
    return reading.facts.get("was", known)


def _is_engine(group: str, topology: Topology) -> bool:
    known = topology.find(group)
    return known is not None and all(one.provider in ENGINES for one in known.deployments)


def _asked_for(group: str, topology: Topology | None) -> tuple[str, ...]:
    known = topology.find(group) if topology is not None else None
    models = (one.upstream_model for one in known.deployments) if known is not None else ()
    return tuple(dict.fromkeys(models))


def _cadence(settings: Settings) -> Cadence:
    watch = settings.watch
    # One look at an engine asks a dozen questions, each with a limit of its own.
    return Cadence(watch.every, failing=watch.confirm, recovering=watch.recover)
