"""An engine is looked at cheaply as long as that tells enough, and deeper where it does not."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest

from chaos.http_client import open_session
from chaos.lab.engine_flags import GEMMA
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.probes.depths.remembered import as_json
from supervisor.probes.depths.seen import Limits
from supervisor.probes.kinds.engine import FLAGS_EVERY_S, EngineMemory, EngineProbe, Target
from supervisor.probes.probe import Cadence, ProbeReading, State
from tests.fakes.manual_clock import ManualClock

TOKEN_EVERY_S = 60.0
LIMITS = Limits(first_token_s=0.3, who_s=0.0)


@dataclass
class Stage:
    """A simulated engine, and a probe of it."""

    engine: SimulatedEngine
    session: aiohttp.ClientSession
    clock: ManualClock = field(default_factory=ManualClock)
    memory: EngineMemory = field(default_factory=EngineMemory)
    asked_for: tuple[str, ...] = (GEMMA,)
    drilled: tuple[int, bool] = (0, False)

    async def ask(self) -> None:
        """Ask as a user does."""
        body = {"model": GEMMA, "messages": [{"role": "user", "content": "Hello"}]}
        url = f"{self.engine.base_url}/chat/completions"
        async with self.session.post(url, json=body, allow_redirects=False) as reply:
            assert reply.status == 200

    async def look(self) -> ProbeReading:
        """Look once, with a new probe each time, as after a reload."""
        probe = EngineProbe(
            self.session,
            self.clock,
            Target("gemma", self.engine.base_url, self.asked_for),
            Cadence(),
            self.memory,
            drilled=lambda: self.drilled,
            token_every_s=TOKEN_EVERY_S,
            limits=LIMITS,
        )
        return await probe.probe(self.clock.now())

    async def names(self) -> list[str]:
        """Look once; gives the names of the steps that were taken."""
        return [step.name for step in (await self.look()).evidence if step.name != "process"]


@asynccontextmanager
async def stage(**options):
    """Run a simulated engine."""
    async with SimulatedEngine() as engine, open_session() as session:
        yield Stage(engine, session, **options)


async def test_the_first_look_asks_everything_but_formats():
    """An engine that was never seen is asked for its flags and for one token."""
    async with stage() as at:
        assert await at.names() == ["health", "models", "metrics", "tools", "generation"]


async def test_a_look_at_an_engine_that_was_just_seen_to_work_asks_nothing_of_its_model():
    """Between two tokens an engine is asked for what costs nothing."""
    async with stage() as at:
        await at.look()
        seen = len(at.engine.seen)
        at.clock.advance(15)
        reading = await at.look()
        assert reading.reason == "it answers; it was last seen to generate 15s ago"
        assert await at.names() == ["health", "models", "metrics"]
        assert len(at.engine.seen) == seen


async def test_an_idle_engine_is_asked_for_a_token_once_in_a_while():
    """Engines die idle, and only a token shows it."""
    async with stage() as at:
        await at.look()
        at.clock.advance(TOKEN_EVERY_S)
        assert "generation" in await at.names()
        assert "generation" not in await at.names()


async def test_an_engine_that_serves_users_is_asked_for_no_token():
    """A heartbeat that has moved is proof enough."""
    async with stage() as at:
        await at.look()
        at.clock.advance(TOKEN_EVERY_S)
        await at.ask()
        assert "generation" not in await at.names()


async def test_flags_are_asked_for_once_in_a_while():
    """Each question with too many tokens is a refusal in vLLM's log, so it is rare."""
    async with stage() as at:
        await at.look()
        at.clock.advance(FLAGS_EVERY_S)
        assert "tools" in await at.names()


async def test_an_idle_engine_that_hangs_is_hung_at_every_look():
    """What gave no token is asked again at once, so that the second look confirms the first."""
    async with stage() as at:
        assert (await at.look()).state is State.UP
        at.engine.flags = replace(at.engine.flags, hung=True)
        at.clock.advance(TOKEN_EVERY_S)
        assert [(await at.look()).state for _ in range(3)] == [State.HUNG] * 3
        at.engine.flags = replace(at.engine.flags, hung=False)
        assert (await at.look()).state is State.UP


async def test_an_engine_that_was_started_anew_is_looked_at_deeply():
    """A restart may have changed its flags: it is asked for them at once."""
    async with stage() as at:
        await at.look()
        at.engine._clock = ManualClock()
        await at.engine.restart()
        assert "tools" in await at.names()
        assert await at.names() == ["health", "models", "metrics"]


async def test_vanished_flags_are_drift_until_they_are_back():
    """An engine without the parser that it had has drifted, and not when it has it again."""
    async with stage() as at:
        await at.look()
        await at.engine.restart(enable_auto_tool_choice=False, tool_call_parser=None)
        reading = await at.look()
        assert reading.state is State.DRIFTED
        assert "tool-call parser was there and is missing" in reading.reason
        assert (await at.look()).state is State.DRIFTED
        await at.engine.restart(enable_auto_tool_choice=True, tool_call_parser="gemma4")
        assert (await at.look()).state is State.UP


async def test_what_it_has_become_can_be_accepted():
    """Once it is accepted, a changed engine is what it should be."""
    async with stage() as at:
        await at.look()
        await at.engine.restart(max_model_len=8_192)
        assert (await at.look()).state is State.DRIFTED
        at.memory.accept()
        assert (await at.look()).state is State.UP


async def test_drift_is_seen_across_a_restart_of_the_daemon():
    """What an earlier daemon has written down is compared with the first look of this one."""
    async with stage() as at:
        written = (await at.look()).facts["was"]
        await at.engine.restart(version="0.33.0")
        at.memory = EngineMemory.of(written)
        reading = await at.look()
        assert reading.state is State.DRIFTED
        assert "its version was 0.32.0 and is 0.33.0" in reading.reason
        assert reading.facts["was"] == written
        assert at.memory.now is not None
        assert reading.facts["seen"] == as_json(at.memory.now)


async def test_what_is_asked_for_and_not_served_is_drift_from_the_first_look_on():
    """A name that the gateway asks for and the engine does not serve needs no earlier look."""
    async with stage(asked_for=("renamed",)) as at:
        assert (await at.look()).state is State.DRIFTED


async def test_an_engine_that_is_gone_is_down():
    """Nobody listens: that is told without asking anything else."""
    async with stage() as at:
        await at.look()
        await at.engine.restart(down=True)
        reading = await at.look()
        assert reading.state is State.DOWN
        assert [step.name for step in reading.evidence] == ["health"]


async def test_no_token_is_asked_for_where_that_would_load_a_model(monkeypatch):
    """An engine that loads models on demand is asked for a token only while its own is loaded."""
    loaded: set[str] = set()

    async def listed(*_):
        return frozenset(loaded)

    monkeypatch.setattr("supervisor.probes.kinds.engine.loaded_models", listed)
    async with stage() as at:
        assert "generation" not in await at.names()
        loaded.add(GEMMA)
        assert "generation" in await at.names()


async def test_requests_of_others_are_counted_while_no_drill_runs():
    """Since when, and how many; ours, for a token, is not among them."""
    async with stage() as at:
        assert (await at.look()).facts["traffic"] is None
        await at.ask()
        await at.ask()
        at.clock.advance(TOKEN_EVERY_S)
        began = at.clock.now().isoformat()
        assert (await at.look()).facts["traffic"] == {
            "since": began,
            "last_at": began,
            "count": 2,
        }
        at.clock.advance(TOKEN_EVERY_S)
        assert (await at.look()).facts["traffic"]["count"] == 2


@pytest.mark.parametrize("during", [(1, True), (2, False)])
async def test_what_is_served_while_a_drill_runs_may_be_its_own(during):
    """Nobody can tell, so nobody is called a user; afterwards others are counted again."""
    async with stage() as at:
        await at.look()
        at.drilled = during
        await at.ask()
        assert (await at.look()).facts["traffic"] is None
        at.drilled = (2, False)
        await at.look()
        await at.ask()
        assert (await at.look()).facts["traffic"]["count"] == 1


async def test_traffic_of_others_is_over_after_a_while():
    """Without a request for as long as the settings say."""
    async with stage() as at:
        await at.look()
        await at.ask()
        await at.look()
        at.clock.advance(599)
        assert (await at.look()).facts["traffic"] is not None
        at.clock.advance(1)
        assert (await at.look()).facts["traffic"] is None


async def test_traffic_of_others_is_over_when_the_clock_was_set_back():
    """Nobody waits a day for its end."""
    async with stage() as at:
        await at.look()
        await at.ask()
        assert (await at.look()).facts["traffic"] is not None
        at.clock.advance(-86_400)
        assert (await at.look()).facts["traffic"] is None
