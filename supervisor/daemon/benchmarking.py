"""Measures local engines when nobody uses them, one at a time, within their share of the day.

It gives way to everybody: it begins after a quiet while, and whoever comes breaks it off.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog

from chaos.clock import Clock
from chaos.errors import UnderstudyError
from chaos.gateway.topology import Topology
from supervisor.baseline.measure import BusyError, Order, measure
from supervisor.baseline.record import Method
from supervisor.baseline.standing import Speed
from supervisor.daemon.board import Board
from supervisor.daemon.gateway import local_engines
from supervisor.engine.facts import root_of
from supervisor.engine.residency import is_loaded, loaded_models
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Standing
from supervisor.settings.model import EngineSettings, Settings
from supervisor.status import Status
from supervisor.store.errors import StoreError
from supervisor.store.store import Store
from supervisor.web.events import Events

log = structlog.get_logger()

DAY = timedelta(days=1)
AGAIN = timedelta(minutes=30)
"""After a benchmark that was broken off, or could not be taken."""

EXPECTED_S = 60.0
"""How long the first benchmark of an engine may take, for its share of the day."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine, and what it is asked for: the name that the gateway uses."""

    name: str
    settings: EngineSettings
    model: str | None


@dataclass(slots=True)
class Benchmarking:
    """Chooses what is due, and measures it in a task of its own."""

    store: Store
    board: Board
    clock: Clock
    events: Events
    _task: "asyncio.Task[None] | None" = None
    _not_before: dict[str, datetime] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """An engine is being measured."""
        return self._task is not None and not self._task.done()

    async def end(self) -> None:
        """Break off what runs; nothing of it is kept."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def look(
        self, settings: Settings, topology: Topology | None, session: aiohttp.ClientSession
    ) -> None:
        """Begin a benchmark, if one is due and nobody is disturbed."""
        if not settings.benchmarks.enabled or self.running:
            return
        status = await self.board.status()
        for one in _candidates(settings, topology):
            if await self._is_due(one, settings, status, session):
                self._task = asyncio.create_task(
                    self._measured(one, settings, session), name=f"benchmark {one.name}"
                )
                return

    async def _is_due(
        self, one: Candidate, settings: Settings, status: Status, session: aiohttp.ClientSession
    ) -> bool:
        now = self.clock.now()
        if now < self._not_before.get(one.name, now):
            return False
        standing = status.condition.parts.get(Part(PartKind.ENGINE, one.name))
        if standing is None or not _quiet(standing, status, settings.benchmarks.idle_for):
            return False
        speed = status.speeds.get(one.name, Speed())
        own = [taken for taken in speed.taken if taken.taken_by == "daemon"]
        # One of ours that has not every figure is no measure, and was a try all the same.
        last = max([*own, *speed.history], key=lambda taken: taken.taken_at, default=None)
        if last is not None and now - last.taken_at < settings.benchmarks.every:
            started_s = (standing.facts.get("seen") or {}).get("started_at_s")
            if started_s is None or started_s <= last.taken_at.timestamp():
                return False
        used_s = await self.store.seconds_at(one.name, now - DAY)
        expected_s = own[-1].took_s if own else EXPECTED_S
        if used_s + expected_s > DAY.total_seconds() * settings.schedule.engine_share:
            self._not_before[one.name] = now + AGAIN
            return False
        loaded = await loaded_models(session, one.settings.url)
        return loaded is None or (one.model is not None and is_loaded(one.model, loaded))

    async def _measured(
        self, one: Candidate, settings: Settings, session: aiohttp.ClientSession
    ) -> None:
        chosen = settings.benchmarks
        order = Order(
            one.name,
            one.settings,
            model=one.model,
            method=Method(max_tokens=chosen.max_tokens, runs=chosen.runs),
            taken_by="daemon",
            yields=True,
        )
        # What it sends is no traffic of users: the probe of the engine is told as of a drill.
        self.board.measures(one.name)
        try:
            found = await measure(session, self.clock, order)
            await self.store.add_benchmark(found)
            if not found.figures:
                why = next((run.doubts[0] for run in found.runs if run.doubts), "")
                self._put_off(one, f"no run can be trusted: {why}")
            log.info("benchmark.taken", engine=one.name, id=found.id, tokens_per_s=found.decode_tps)
            self.events.tell("benchmark.taken", {"engine": one.name, "id": found.id})
        except BusyError as error:
            self._put_off(one, f"somebody uses it: {error}")
        except StoreError as error:
            self.board.store_is_away(error)
            self._put_off(one, error.message)
        except UnderstudyError as error:
            self._put_off(one, error.message)
        except Exception:  # A defect of ours ends no daemon.
            log.exception("benchmark.broken", engine=one.name)
            self._put_off(one, "see the log")
        finally:
            self.board.measures(None)

    def _put_off(self, one: Candidate, why: str) -> None:
        self._not_before[one.name] = self.clock.now() + AGAIN
        log.info("benchmark.put_off", engine=one.name, why=why)


def _candidates(settings: Settings, topology: Topology | None) -> list[Candidate]:
    """List the engines that there are, each with its own settings where it has some."""
    urls: Mapping[str, str] = settings.engine_urls
    if topology is not None:
        urls = {**urls, **local_engines(topology, settings.engine_urls)}
    found: list[Candidate] = []
    for name, url in urls.items():
        if root_of(url) in {root_of(one.settings.url) for one in found}:
            continue  # One engine that serves several groups has one speed.
        group = topology.find(name) if topology is not None else None
        modes = {one.mode for one in group.deployments} if group is not None else set()
        if modes - {None, "chat", "completion", "responses"}:
            continue  # What embeds, ranks or speaks writes no text that could be timed.
        model = group.deployments[0].upstream_model if group and group.deployments else None
        found.append(Candidate(name, settings.engines.get(name) or EngineSettings(url=url), model))
    return found


def _quiet(standing: Standing, status: Status, idle_for: timedelta) -> bool:
    """Tell whether nobody has used an engine that is well, as long as it has been watched."""
    if standing.state is not State.UP or standing.seen is not State.UP or standing.at is None:
        return False
    if status.at - status.condition.started_at < idle_for:
        return False
    if standing.facts.get("steps") is None:
        return False  # It publishes no counters, so nobody can tell who uses it.
    traffic: Any = standing.facts.get("traffic")
    if not traffic:
        return True
    return status.at - datetime.fromisoformat(traffic["last_at"]) >= idle_for
