"""A benchmark of a simulated engine, whose speed is known."""

import asyncio

import pytest

from chaos.clock import SystemClock
from chaos.errors import SetupError
from chaos.http_client import open_session
from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.baseline import measure as module
from supervisor.baseline import trust
from supervisor.baseline.measure import BusyError, Order, Progress, measure
from supervisor.baseline.record import Benchmark, Method
from supervisor.baseline.stream import Timed
from supervisor.baseline.text import TEXTS
from supervisor.settings.model import EngineSettings
from tests.patience import PATIENCE_S

FLAGS = EngineFlags(tokens_per_s=1500.0, writes_tokens=200, thinks=False)
ONE_TEXT = (TEXTS["prose"],)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether chunks come evenly is this machine's business here, not the engine's."""
    monkeypatch.setattr(trust, "MOST_DEVIATION_RATIO", 1e9)


async def measured(engine: SimulatedEngine, tell=lambda _: None, **options) -> Benchmark:
    """Measure it, one text in two runs by default."""
    options.setdefault("texts", ONE_TEXT)
    options.setdefault("method", Method(runs=2))
    order = Order("gemma", EngineSettings(url=engine.base_url), **options)
    async with open_session() as session:
        return await measure(session, SystemClock(), order, tell)


async def test_client_and_counters_are_kept_side_by_side():
    """Each run, what it ran on, and in which boot."""
    async with SimulatedEngine(FLAGS) as engine:
        found = await measured(engine, note="before")
        started_at_s = engine.metrics.started_at_s
    assert [run.text for run in found.runs] == ["prose", "prose"]
    for run in found.runs:
        assert run.tokens == run.engine.tokens
        assert run.engine.requests == 1
        assert run.decode_tps is not None
        assert run.engine.decode_tps is not None
    assert (found.engine, found.note, found.taken_by) == ("gemma", "before", "command")
    assert found.conditions.served_name == GEMMA
    assert found.conditions.version == "0.32.0"
    assert found.conditions.fingerprint is not None
    assert found.boot is not None
    assert found.boot.told_by == "process"
    assert found.boot.started_at.timestamp() == pytest.approx(started_at_s, abs=1.0)


async def test_every_text_is_warmed_up_and_that_run_is_not_kept():
    """Three texts, once to warm up and once to count, and each is told."""
    told: list[Progress] = []
    async with SimulatedEngine(FLAGS) as engine:
        found = await measured(
            engine, told.append, texts=tuple(TEXTS.values()), method=Method(runs=1)
        )
        assert len(engine.seen) == 6
    assert [run.text for run in found.runs] == list(TEXTS)
    ended = [step for step in told if step.run is not None]
    assert [step.done for step in ended] == [2, 4, 6]
    assert all(step.planned == 6 for step in told)


async def test_the_same_is_asked_each_time_but_for_what_the_cache_could_keep():
    """Temperature 0, one length, usage; a salt of its own, so that nothing is remembered."""
    async with SimulatedEngine(FLAGS) as engine:
        await measured(engine, method=Method(runs=2, max_tokens=150, ignore_eos=True))
        bodies = [dict(seen.body) for seen in engine.seen]
    salts = {body.pop("cache_salt") for body in bodies}
    assert len(salts) == 3
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["temperature"] == 0
    assert bodies[0]["max_tokens"] == 150
    assert bodies[0]["ignore_eos"] is True
    assert bodies[0]["stream_options"] == {"include_usage": True}


async def test_several_at_once_are_added_up():
    """What the engine yields, and what each of them sees."""
    async with SimulatedEngine(FLAGS) as engine:
        found = await measured(engine, concurrency=(3,), method=Method(runs=1))
    (run,) = found.runs
    assert (run.concurrency, run.engine.requests) == (3, 3)
    assert run.tokens == run.engine.tokens
    assert run.total_tps is not None
    assert run.decode_tps is not None
    assert run.total_tps > run.decode_tps


async def test_replies_that_are_too_short_are_kept_and_not_counted():
    """An engine that says hardly anything has no speed."""
    async with SimulatedEngine(EngineFlags(tokens_per_s=1500.0, thinks=False)) as engine:
        found = await measured(engine)
    assert found.figures == {}
    assert all("too few tokens" in " ".join(run.doubts) for run in found.runs)


async def test_a_refused_run_is_a_doubt_and_no_end():
    """The engine is renamed after the warm-up: the runs say so, and the record is kept."""
    async with SimulatedEngine(FLAGS) as engine:

        def rename(step: Progress) -> None:
            if step.done == 1:
                engine.flags = EngineFlags(served_model_names=("other",))

        found = await measured(engine, rename)
    assert [run.counts for run in found.runs] == [False, False]
    assert "no reply: it answers 404" in found.runs[0].doubts[0]


@pytest.mark.parametrize(
    ("flags", "options", "why"),
    [
        (EngineFlags(down=True), {}, "cannot be asked"),
        (EngineFlags(api_key="secret"), {}, "does not say which models it serves"),
        (FLAGS, {"model": "nope"}, "gives no reply that can be timed: it answers 404"),
    ],
)
async def test_an_engine_that_cannot_be_measured_says_why(flags, options, why):
    """Before anything is kept, with what to do."""
    async with SimulatedEngine(flags) as engine:
        with pytest.raises(SetupError, match=why) as caught:
            await measured(engine, **options)
    assert caught.value.remedy


async def test_a_speed_that_cannot_be_is_a_doubt_and_no_crash(monkeypatch):
    """Three hundred tokens within a few microseconds: a figure that no record may hold."""

    async def at_once(*_: object, **__: object) -> Timed:
        return Timed([0.5, 0.500001], 0.500001, 0.500002, tokens=300, prompt_tokens=9)

    monkeypatch.setattr(module, "timed", at_once)
    async with SimulatedEngine(FLAGS) as engine:
        monkeypatch.setattr(module, "SETTLE_WITHIN_S", 0.0)
        found = await measured(engine, method=Method(runs=1))
    assert found.figures == {}
    assert found.runs[0].decode_tps is None
    assert found.runs[0].doubts


async def test_traffic_of_others_is_waited_for_and_then_told():
    """A request hangs in the engine all the while: its runs are not counted."""
    async with SimulatedEngine(FLAGS) as engine:
        engine.metrics.running = 1
        found = await measured(engine, idle_within_s=0.3, method=Method(runs=1))
    assert found.figures == {}
    assert "other traffic: 1 requests were there before" in found.runs[0].doubts


async def test_one_that_yields_does_not_begin_where_somebody_is():
    """The daemon's own: users come first."""
    async with SimulatedEngine(FLAGS) as engine:
        engine.metrics.running = 1
        with pytest.raises(BusyError, match="1 requests are there"):
            await measured(engine, yields=True)
        assert not engine.seen


async def test_one_that_yields_is_broken_off_when_somebody_comes():
    """Its request is cancelled, so that the user has the engine alone."""
    slow = EngineFlags(tokens_per_s=20.0, writes_tokens=2000, thinks=False)
    async with SimulatedEngine(slow) as engine, asyncio.timeout(PATIENCE_S):

        async def comes() -> None:
            while not engine.metrics.running:
                await asyncio.sleep(0.01)
            engine.metrics.running += 1

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(comes())
            with pytest.raises(BusyError, match="came meanwhile"):
                await measured(engine, yields=True, method=Method(max_tokens=4096))
        while engine.metrics.running > 1:
            await asyncio.sleep(0.01)
