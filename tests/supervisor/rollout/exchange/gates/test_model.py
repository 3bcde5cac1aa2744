"""The engine has to serve the model by its name, with the context that is expected."""

from typing import Any

import pytest
from aiohttp import web

from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.rollout.exchange.gates.model import gate
from supervisor.rollout.finding import Answer
from tests.fakes.server import serving
from tests.fakes.swaps import SERVED, flags, swapping


async def test_the_name_is_all_that_is_asked_where_no_context_is_expected(session):
    """One of several names is enough."""
    async with SimulatedEngine(flags(served_model_names=("other", SERVED))) as engine:
        (one,) = await gate(swapping(engine.url, session))
    assert (one.check, one.answer, one.asked) == ("model", Answer.OK, f"it serves '{SERVED}'")
    assert one.came == f"other, {SERVED}"


async def test_another_name_is_refused_with_what_is_served(session):
    """Clients would get a 404; its context is no question any more."""
    async with SimulatedEngine(flags(served_model_names=("other",))) as engine:
        swap = swapping(engine.url, session, expect={"model": SERVED, "context": 1})
        (one,) = await gate(swap)
    assert (one.answer, one.came) == (Answer.REFUSED, "it serves other")


async def test_without_an_expectation_the_old_engine_s_name_is_wanted(session):
    """Whoever asked for it goes on to do so."""
    async with SimulatedEngine(flags(served_model_names=("new",))) as engine:
        swap = swapping(engine.url, session, expect={}, old={"names": ["old", "alias"]})
        (one,) = await gate(swap)
    assert (one.answer, one.asked) == (Answer.REFUSED, "it serves 'old'")


async def test_where_no_name_is_known_any_model_will_do(session):
    """Neither the file nor the old engine has told one."""
    async with SimulatedEngine(flags()) as engine:
        (one,) = await gate(swapping(engine.url, session, expect={}, old={"names": []}))
    assert (one.answer, one.asked, one.came) == (Answer.OK, "it serves a model", SERVED)


@pytest.mark.parametrize("name", [SERVED, None])
async def test_an_engine_that_cannot_be_asked_is_refused_with_why(session, name):
    """Also where any model would do."""
    async with SimulatedEngine(flags(down=True)) as engine:
        expect = {"model": name} if name else {}
        (one,) = await gate(swapping(engine.url, session, expect=expect, old={"names": []}))
    assert one.answer is Answer.REFUSED
    assert one.came.startswith("it serves ")
    assert one.came not in ("it serves ", "it serves nothing")


@pytest.mark.parametrize(
    ("has", "answer"), [(8192, Answer.OK), (65536, Answer.OK), (8191, Answer.REFUSED)]
)
async def test_a_shorter_context_than_expected_is_refused(session, has, answer):
    """Exactly as much is enough."""
    async with SimulatedEngine(flags(max_model_len=has)) as engine:
        swap = swapping(engine.url, session, expect={"model": SERVED, "context": 8192})
        name, context = await gate(swap)
    assert name.answer is Answer.OK
    assert (context.check, context.answer, context.came) == ("context", answer, f"{has:,} tokens")
    assert context.asked == "8,192 tokens of context"


async def test_an_engine_that_tells_no_context_is_not_refused_for_it(session):
    """It is not known."""

    async def models(request: Any) -> web.Response:
        if request.path != "/v1/models":
            return web.Response(status=404)
        return web.json_response({"object": "list", "data": [{"id": SERVED}]})

    async with serving(models) as url:
        swap = swapping(url, session, expect={"model": SERVED, "context": 8192})
        name, context = await gate(swap)
    assert name.answer is Answer.OK
    assert (context.answer, context.came) == (Answer.UNKNOWN, "it does not say")
