"""An engine has to write, whatever its health says."""

import re

import pytest

from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.rollout.exchange.gates import first_token
from supervisor.rollout.exchange.gates.first_token import gate
from supervisor.rollout.finding import Answer
from tests.fakes.swaps import flags, swapping


async def test_one_token_is_enough(session):
    """It is asked for no more, and told after how long it came."""
    async with SimulatedEngine(flags()) as engine:
        (one,) = await gate(swapping(engine.url, session))
        (seen,) = engine.seen
    assert (one.check, one.answer) == ("first token", Answer.OK)
    assert re.fullmatch(r"after \d+\.\d s", one.came)
    assert (seen.body["model"], seen.body["max_tokens"]) == ("gemma", 1)


async def test_an_engine_that_stands_still_is_refused(session, monkeypatch: pytest.MonkeyPatch):
    """Its health is green all the while."""
    monkeypatch.setattr(first_token, "WITHIN_S", 0.05)
    async with SimulatedEngine(flags(hung=True)) as engine:
        (one,) = await gate(swapping(engine.url, session))
        async with session.get(f"{engine.url}/health") as health:
            assert health.status == 200
    assert one.answer is Answer.REFUSED
    assert one.asked == "one token within 0.05 s"
    assert "no answer within 0.05 s" in one.came


async def test_an_engine_that_refuses_is_quoted(session):
    """Its status, and its own words."""
    async with SimulatedEngine(flags(max_model_len=1)) as engine:
        (one,) = await gate(swapping(engine.url, session))
    assert one.answer is Answer.REFUSED
    assert one.came.startswith("status 400 ")
    assert "maximum context length is 1 tokens" in one.came


async def test_an_engine_that_is_not_there_is_refused(session):
    """With why it cannot be reached."""
    async with SimulatedEngine(flags(down=True)) as engine:
        (one,) = await gate(swapping(engine.url, session))
    assert one.answer is Answer.REFUSED
    assert one.came.startswith("cannot be reached")


@pytest.mark.parametrize(
    ("key", "answer"), [("sk-own", Answer.OK), (None, Answer.REFUSED), ("sk-no", Answer.REFUSED)]
)
async def test_an_engine_is_asked_with_its_own_key(session, key, answer):
    """Where it wants one."""
    async with SimulatedEngine(flags(api_key="sk-own")) as engine:
        (one,) = await gate(swapping(engine.url, session, key=key))
    assert one.answer is answer
