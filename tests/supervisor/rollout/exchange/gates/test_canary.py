"""Plausible garbage is found by what the model makes of a text that people write."""

from typing import Any

import pytest
from aiohttp import web

from chaos.clock import SystemClock
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.probes.depths.ask import Line
from supervisor.rollout.exchange.gates import canary
from supervisor.rollout.exchange.gates.canary import garbage, gate, score
from supervisor.rollout.finding import Answer, Finding
from tests.fakes.server import serving
from tests.fakes.swaps import SERVED, flags, swapping


async def found(session: Any, *, old: Any = None, following: Any = None, **traits: Any) -> Finding:
    """What the gate says of an engine with these traits."""
    async with SimulatedEngine(flags(**traits)) as engine:
        (one,) = await gate(swapping(engine.url, session, old=old, following=following))
    assert one.check == "canary"
    return one


async def scored(session: Any, body: Any, status: int = 200) -> float | None:
    """What is made of an engine's reply to the fixed text."""

    async def answer(_: Any) -> web.Response:
        return web.json_response(body, status=status)

    async with serving(answer) as url:
        return await score(Line(session, SystemClock(), url), SERVED)


# --- what is no text --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("One, two, three, four, five, six, seven, eight, nine, ten.", ""),
        ("", ""),
        ("so " * 8, ""),
        ("so " * 9, "the same word 9 times"),
        ("well then " + "so " * 12 + "it ends", "the same word 12 times"),
        ("so and " * 20, ""),
        ("!?#$%&" * 4, "more signs than letters"),
        ("ab!?", ""),
        ("ab!?#", "more signs than letters"),
        ("eins zwei " + "a" * 11, ""),
        ("eins zwei " + "a" * 60, "the same sign again and again"),
        ("日本語の文章です", ""),
    ],
)
def test_text_that_is_none_is_told_by_its_form(text, why):
    """Only the coarsest garbage is: a word or a sign again and again, or hardly a letter."""
    assert garbage(text) == why


# --- the score --------------------------------------------------------------------------


async def test_an_engine_that_scores_gives_its_mean(session):
    """In nats a token."""
    async with SimulatedEngine(flags(scores_nats=-2.25)) as engine:
        line = Line(session, SystemClock(), engine.url)
        assert await score(line, SERVED) == pytest.approx(-2.25)


async def test_an_engine_that_scores_no_text_gives_none(session):
    """Its refusal is no score of nought."""
    async with SimulatedEngine(flags()) as engine:
        assert await score(Line(session, SystemClock(), engine.url), SERVED) is None


async def test_of_each_token_the_text_s_own_counts(session):
    """It stands first; the likeliest one may stand beside it, and the first token has none."""
    rows = [
        None,
        {"7": {"logprob": -3.0, "rank": 5}, "9": {"logprob": -0.1, "rank": 1}},
        {"8": {"logprob": -1, "rank": 1}},
    ]
    assert await scored(session, {"choices": [{"prompt_logprobs": rows}]}) == pytest.approx(-2.0)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"choices": None},
        {"choices": []},
        {"choices": ["text"]},
        {"choices": [{"text": ""}]},
        {"choices": [{"prompt_logprobs": None}]},
        {"choices": [{"prompt_logprobs": [None]}]},
        {"choices": [{"prompt_logprobs": [{}, {"1": None}, {"1": {"logprob": None}}]}]},
    ],
)
async def test_a_reply_without_a_score_gives_none(session, body):
    """Whatever its form."""
    assert await scored(session, body) is None


async def test_an_error_gives_none(session):
    """Even one with a score in it."""
    rows = [{"1": {"logprob": -1.0}}]
    assert await scored(session, {"choices": [{"prompt_logprobs": rows}]}, status=500) is None


# --- compared with the old engine -------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "answer"),
    [
        (-2.0, Answer.OK),
        (-1.0, Answer.OK),
        (-2.5, Answer.OK),
        (-2.75, Answer.REFUSED),
        (-9.5, Answer.REFUSED),
    ],
)
async def test_a_text_that_became_less_likely_by_more_than_half_a_nat_is_refused(
    session, now, answer
):
    """Both scores are told."""
    one = await found(session, scores_nats=now)
    assert (one.answer, one.asked) == (answer, canary.ASKED)
    assert one.came == f"{now:.2f} nats a token, -2.00 before"


@pytest.mark.parametrize("now", [-2.0, -9.5])
async def test_another_model_cannot_be_compared(session, now):
    """Its score is told all the same."""
    one = await found(session, following={"model": "/models/other"}, scores_nats=now)
    assert one.answer is Answer.UNKNOWN
    assert one.came == f"{now:.2f} nats a token, -2.00 before; it is another model"


async def test_without_the_old_engine_s_score_nothing_can_be_said(session):
    """It was not asked while it served."""
    one = await found(session, old={"canary_nats": None}, scores_nats=-2.0)
    assert one.answer is Answer.UNKNOWN
    assert one.came == "-2.00 nats a token; the old one was not asked"


# --- what it writes ---------------------------------------------------------------------


@pytest.mark.parametrize("thinks", [False, True])
async def test_an_engine_that_scores_nothing_and_writes_well_is_let_pass(session, thinks):
    """Its words are quoted."""
    text = "One, two, three, four, five."
    one = await found(session, always_says=text, thinks=thinks)
    assert one.answer is Answer.OK
    assert "it scores no text" in one.asked
    assert one.came == repr(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [("so " * 40, "the same word 40 times"), ("!?%&" * 30, "more signs than letters")],
)
async def test_an_engine_that_scores_nothing_and_writes_garbage_is_refused(session, text, why):
    """With the reason, and the beginning of it."""
    one = await found(session, always_says=text)
    assert one.answer is Answer.REFUSED
    assert one.came.startswith(f"{why}: '{text[:20]}")
    assert len(one.came) < 180


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"content": None, "reasoning": "I shall count to ten."}, Answer.OK),
        ({"content": " \n"}, Answer.REFUSED),
        ({}, Answer.REFUSED),
    ],
)
async def test_a_thought_is_a_text_and_nothing_is_none(session, message, answer):
    """A model may think for longer than it may write."""

    async def answering(request: Any) -> web.Response:
        if request.path != "/v1/chat/completions":
            return web.Response(status=404)
        return web.json_response({"choices": [{"message": message}]})

    async with serving(answering) as url:
        (one,) = await gate(swapping(url, session))
    assert one.answer is answer


async def test_an_engine_that_answers_neither_is_refused_with_its_status(session):
    """It does not serve."""

    async def failing(_: Any) -> web.Response:
        return web.Response(status=500, text="out of memory")

    async with serving(failing) as url:
        (one,) = await gate(swapping(url, session))
    assert one.answer is Answer.REFUSED
    assert one.came.startswith("status 500")


@pytest.mark.parametrize("nats", [float("nan"), float("-inf")])
async def test_a_score_that_is_no_number_is_refused(session, nats):
    """It is what broken kernels compute, and compares with nothing."""
    async with SimulatedEngine(flags(scores_nats=nats)) as engine:
        (found,) = await gate(swapping(engine.url, session))
    assert found.answer is Answer.REFUSED
    assert "no number" in found.came
