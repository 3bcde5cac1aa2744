"""Engines are measured when nobody uses them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chaos.clock import SystemClock
from chaos.gateway.topology import Topology
from chaos.http_client import open_session
from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.baseline import trust
from supervisor.baseline.record import Benchmark
from supervisor.daemon import worker
from supervisor.daemon.benchmarking import AGAIN, Benchmarking
from supervisor.daemon.board import Board
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Standing
from supervisor.settings.file import parse_settings
from supervisor.settings.model import Settings
from supervisor.status import Condition
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.web.events import Events
from tests.fakes.daemons import site
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.topologies import group, topology
from tests.patience import PATIENCE_S
from tests.supervisor.baseline.conftest import taken

ENGINE = Part(PartKind.ENGINE, "gemma")
FLAGS = EngineFlags(tokens_per_s=3000.0, writes_tokens=200, thinks=False)
HOUR = timedelta(hours=1)
QUICK = "runs: 1"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether chunks come evenly is this machine's business here, not the engine's."""
    monkeypatch.setattr(trust, "MOST_DEVIATION_RATIO", 1e9)


class Noon(ManualClock):
    """The wall clock stands; durations and pauses are real."""

    monotonic = staticmethod(SystemClock().monotonic)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def bench(tmp_path: Path, flags: EngineFlags = FLAGS) -> AsyncIterator[Any]:
    """A daemon's board, store and benchmarks beside one engine that has been quiet for an hour."""
    clock = Noon()
    url = parse_url(str(tmp_path / "understudy.db"))
    async with (
        SimulatedEngine(flags) as engine,
        Store.opened(url, Home("spark-1", "http://g"), clock) as store,
        open_session() as session,
    ):
        board = Board(
            store,
            Condition("spark-1", "http://g", "1", NOON - HOUR, "here"),
            clock,
            tmp_path / "halt",
        )
        yield Bench(engine, store, board, clock, session)


class Bench:
    """Everything that takes part."""

    def __init__(self, engine, store, board, clock, session) -> None:
        self.engine, self.store, self.board, self.clock = engine, store, board, clock
        self.session = session
        self.topology: Topology | None = None
        self.benchmarking = Benchmarking(store, board, clock, Events("d"))
        self.stands()

    def settings(self, text: str = QUICK, **sections: Any) -> Settings:
        """The engine, named; and how it is measured."""
        more = "".join(f"{name}: {value}\n" for name, value in sections.items())
        return parse_settings(
            f"engines: {{gemma: '{self.engine.url}'}}\nbenchmarks: {{{text}}}\n{more}", name="x"
        )

    def stands(self, state: State = State.UP, **facts: Any) -> None:
        """Say how the engine was seen last."""
        seen = {"started_at_s": (NOON - 2 * HOUR).timestamp()}
        standing = Standing(ENGINE, state, NOON - HOUR, "well", at=NOON, seen=state)
        standing = replace(standing, facts={"seen": seen, "steps": 7.0, **facts})
        self.board.note(parts={ENGINE: standing})

    async def looks(self, settings: Settings | None = None) -> bool:
        """Look once, wait for what begins, and say whether something was measured."""
        self.board.news()  # The wall clock may have been moved on.
        await self.benchmarking.look(settings or self.settings(), self.topology, self.session)
        began = self.benchmarking.running
        while self.benchmarking.running:
            await asyncio.sleep(0.01)
        return began

    async def kept(self) -> tuple[Benchmark, ...]:
        """What is in the store."""
        return (await self.store.benchmarks()).get("gemma", ())


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Bench]:
    """An engine that is well and quiet."""
    async with bench(tmp_path) as made:
        yield made


async def test_a_quiet_engine_is_measured_and_its_speed_is_known(here: Bench):
    """It is kept, told as the daemon's, and shown by the snapshot."""
    assert await here.looks()
    (one,) = await here.kept()
    assert (one.taken_by, one.engine, one.conditions.served_name) == ("daemon", "gemma", GEMMA)
    assert {text for text, _ in one.figures} == {"prose", "code", "json"}
    status = await here.board.status()
    assert status.speeds["gemma"].latest == one
    assert status.condition.measuring is None


async def test_it_is_measured_once_in_its_time_and_again_after_a_start(here: Bench):
    """Each start of an engine may be faster or slower than the one before."""
    assert await here.looks()
    here.clock.advance(3600)
    assert not await here.looks()
    started_s = here.clock.now().timestamp()
    here.stands(seen={"started_at_s": started_s})
    here.clock.advance(60)
    assert await here.looks()
    here.clock.advance(3600)
    assert not await here.looks()
    here.clock.advance(86_400)
    here.board.note(started_at=NOON)
    assert await here.looks()


@pytest.mark.parametrize(
    "state", [State.DOWN, State.HUNG, State.BUSY, State.SLOW, State.UNKNOWN, State.DRIFTED]
)
async def test_an_engine_that_is_not_well_is_left_alone(here: Bench, state: State):
    """What is wrong with it is no matter of speed."""
    here.stands(state)
    assert not await here.looks()
    assert not here.engine.seen


async def test_an_engine_that_somebody_uses_is_left_alone(here: Bench):
    """Until nobody has, for as long as the settings say."""
    lately = {"since": NOON.isoformat(), "last_at": NOON.isoformat(), "count": 3}
    here.stands(traffic=lately)
    assert not await here.looks()
    here.clock.advance(599)
    assert not await here.looks()
    here.clock.advance(2)
    assert await here.looks()


async def test_an_engine_that_does_not_say_who_uses_it_is_left_alone(here: Bench):
    """Without counters a user in the middle of a reply cannot be seen."""
    here.stands(steps=None)
    assert not await here.looks()
    assert not here.engine.seen


async def test_a_daemon_that_has_just_begun_does_not_know_whether_it_is_quiet(here: Bench):
    """It has seen nobody because it has not looked."""
    here.board.note(started_at=NOON - timedelta(minutes=9))
    assert not await here.looks()


async def test_an_engine_with_a_queue_is_put_off(here: Bench):
    """Somebody has come since it was looked at: half an hour later it is tried again."""
    here.engine.metrics.running = 1
    assert await here.looks()
    assert await here.kept() == ()
    here.engine.metrics.running = 0
    assert not await here.looks()
    here.clock.advance(AGAIN.total_seconds())
    assert await here.looks()
    assert len(await here.kept()) == 1


async def test_it_keeps_within_its_share_of_the_day(here: Bench):
    """Drills and benchmarks of the last day together, and what this one is expected to take."""
    await here.store.add_benchmark(taken(100.0, by="daemon", at=-2, took_s=900.0, boot=-3))
    here.stands(seen={"started_at_s": NOON.timestamp() - 60})
    assert not await here.looks(here.settings(schedule="{engine_share: 0.02}"))
    here.clock.advance(AGAIN.total_seconds())
    assert await here.looks(here.settings(schedule="{engine_share: 0.05}"))


@pytest.mark.parametrize(("mode", "measured"), [("embedding", False), ("chat", True), (None, True)])
async def test_only_what_writes_text_is_measured(here: Bench, mode: str | None, measured: bool):
    """An engine that embeds would refuse, and log an error each time."""
    known = group("gemma", litellm_model=f"hosted_vllm/{GEMMA}")
    known = replace(known, deployments=(replace(known.deployments[0], mode=mode),))
    here.topology = topology({"gemma": []}, groups={"gemma": known})
    assert await here.looks() is measured


async def test_an_engine_of_two_names_is_measured_once(here: Bench):
    """One vLLM may serve several groups."""
    named = f"{{gemma: '{here.engine.url}', again: '{here.engine.base_url}'}}"
    settings = parse_settings(f"engines: {named}\nbenchmarks: {{{QUICK}}}", name="x")
    standing = here.board.condition.parts[ENGINE]
    other = Part(PartKind.ENGINE, "again")
    here.board.note(parts={ENGINE: standing, other: replace(standing, part=other)})
    assert await here.looks(settings)
    assert not await here.looks(settings)
    assert list(await here.store.benchmarks()) == ["gemma"]


async def test_it_can_be_turned_off(here: Bench):
    """Then only a person measures."""
    assert not await here.looks(here.settings("enabled: false"))


async def test_a_benchmark_without_a_figure_is_kept_and_tried_again_later(tmp_path: Path):
    """An engine that says too little: the record says so, once in a while."""
    async with bench(tmp_path, EngineFlags(thinks=False)) as here:
        assert await here.looks()
        (one,) = await here.kept()
        assert one.figures == {}
        assert not await here.looks()


async def test_one_that_lacks_a_figure_is_a_try_all_the_same(here: Bench):
    """Else an engine whose code is always too short would be measured without end."""
    part = taken(100.0, at=-1, by="daemon", boot=-3)
    assert list(part.figures) == [("prose", 1)]
    await here.store.add_benchmark(part)
    assert not await here.looks()
    here.clock.advance(86_400)
    assert await here.looks()


async def test_what_is_broken_off_is_not_kept(tmp_path: Path):
    """A halt, a campaign, or the end of the daemon: nothing is left, and the engine is free."""
    slow = EngineFlags(tokens_per_s=20.0, writes_tokens=500, thinks=False)
    async with bench(tmp_path, slow) as here, asyncio.timeout(PATIENCE_S):
        await here.benchmarking.look(here.settings(), None, here.session)
        while not here.engine.metrics.running:
            await asyncio.sleep(0.01)
        assert here.board.condition.measuring == "gemma"
        assert here.board.drilled()[1], "what it sends is no traffic of users"
        await here.benchmarking.end()
        assert not here.benchmarking.running
        assert here.board.condition.measuring is None
        while here.engine.metrics.running:
            await asyncio.sleep(0.01)
        assert await here.kept() == ()


async def test_a_running_daemon_measures_an_engine_between_its_drills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """By its own watch and its own ledger; and the API says so."""
    monkeypatch.setattr(worker, "SPEED_LOOK_S", 0.0)
    flags = replace(FLAGS, served_model_names=("backup",))
    async with SimulatedEngine(flags) as engine:
        sections: dict[str, Any] = {
            "engines": {"backup": engine.url},
            "watch": {"every": "1s"},
            "benchmarks": {"idle_for": "1s", "runs": 1},
        }
        async with site(tmp_path, **sections) as here, here.daemon() as daemon:
            await daemon.drilled()
            known = await daemon.until("/api/v1/benchmarks", lambda a: a["engines"])
    (found,) = known["engines"]
    assert found["engine"] == "backup"
    assert found["ratio"] == 1.0
    assert found["benchmarks"][0]["taken_by"] == "daemon"
