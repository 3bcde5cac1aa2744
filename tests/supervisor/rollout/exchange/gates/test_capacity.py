"""As many tokens have to fit into the KV cache as are expected."""

from typing import Any

import pytest
from aiohttp import web

from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.rollout.exchange.gates.capacity import gate
from supervisor.rollout.finding import Answer
from tests.fakes.server import serving
from tests.fakes.swaps import flags, swapping

LOG = "INFO GPU KV cache size: 200,000 tokens\n"
METRICS = 'vllm:cache_config_info{kv_cache_size_tokens="150000"} 1.0\n'


async def test_without_an_expectation_nothing_is_asked(session):
    """Not even the engine, which is not there."""
    assert await gate(swapping("http://127.0.0.1:9", session, log=LOG)) == []


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (100_000, Answer.OK),
        (200_000, Answer.OK),
        (200_001, Answer.REFUSED),
    ],
)
async def test_the_log_tells_where_the_metrics_do_not(session, wanted, answer):
    """Exactly as many are enough."""
    async with SimulatedEngine(flags()) as engine:
        swap = swapping(engine.url, session, expect={"kv_tokens": wanted}, log=LOG)
        (one,) = await gate(swap)
    assert (one.check, one.answer, one.came) == ("kv cache", answer, "200,000 tokens")
    assert one.asked == f"{wanted:,} tokens in its KV cache"


@pytest.mark.parametrize(("wanted", "answer"), [(150_000, Answer.OK), (160_000, Answer.REFUSED)])
async def test_the_metrics_count_before_the_log(session, wanted, answer):
    """They are of the engine that runs now."""

    async def metrics(_: Any) -> web.Response:
        return web.Response(text=METRICS)

    async with serving(metrics) as url:
        (one,) = await gate(swapping(url, session, expect={"kv_tokens": wanted}, log=LOG))
    assert (one.answer, one.came) == (answer, "150,000 tokens")


async def test_where_nothing_tells_it_is_not_known(session):
    """An engine that keeps its size to itself is not refused for that."""
    async with SimulatedEngine(flags()) as engine:
        (one,) = await gate(swapping(engine.url, session, expect={"kv_tokens": 1}))
    assert (one.answer, one.came) == (Answer.UNKNOWN, "nothing tells")


async def test_an_engine_without_metrics_leaves_the_log(session):
    """It answers nothing at all there."""
    async with SimulatedEngine(flags(down=True)) as engine:
        (one,) = await gate(swapping(engine.url, session, expect={"kv_tokens": 1}, log=LOG))
    assert (one.answer, one.came) == (Answer.OK, "200,000 tokens")
