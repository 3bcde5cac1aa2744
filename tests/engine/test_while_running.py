"""What befalls a well-started vLLM while it runs, and what a drill says of it."""

import asyncio
import contextlib
from dataclasses import replace

import pytest
import pytest_asyncio

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.engine.metrics import read_vitals
from supervisor.probes.depths.look import Depth
from supervisor.probes.probe import State
from tests.engine.stage import HERMES_FLAGS, PATIENT, QWEN, Start
from tests.patience import PATIENCE_S

SHAPES = ("chat", "tool_call")
ONE_AT_A_TIME = Start(HERMES_FLAGS, ("--max-num-seqs", "1"))


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def well(stage):
    """Both engines are well, and one can do but one thing at a time."""
    await stage.engines(hermes=ONE_AT_A_TIME)


def kinds(rows):
    """The kinds of all rows that did not pass, and ``passed`` if one did."""
    return {"passed" if row.outcome is Outcome.PASSED else row.kind for row in rows.values()}


async def test_a_name_that_the_engine_does_not_serve(stage):
    """A gateway that asks for a name of yesterday gets a 404, and the drill says whose."""
    rows = await stage.drill("haiku", shapes=SHAPES)
    assert kinds(rows) == {Kind.HOP_FAILED}
    assert all("does not exist" in str(row.findings) for row in rows.values())


@pytest.mark.one_of_a_kind
async def test_an_engine_that_stands_still(stage):
    """A frozen engine is too late, with a green health; thawed, it passes again."""
    stage.gemma.freeze()
    try:
        async with stage.session.get(f"{stage.gemma.url}/health") as reply:
            assert reply.status == 200
        rows = await stage.drill("claude", shapes=SHAPES, stream=True, deadline_s=stage.short_s())
        look = await stage.look("gemma", limits=replace(PATIENT, first_token_s=4))
    finally:
        stage.gemma.thaw()
    assert kinds(rows) == {Kind.TOO_LATE}
    assert look.state is State.HUNG, look.reason
    assert kinds(await stage.drill("claude", shapes=("chat",))) == {"passed"}


async def counted(stage):
    """How many requests run in the engine that serves one at a time, and how many wait."""
    async with stage.session.get(f"{stage.hermes.url}/metrics") as reply:
        vitals = read_vitals(await reply.text())
    return vitals.running, vitals.waiting


async def a_long_answer(stage):
    """Be a user who asks for a long answer and reads it as it comes."""
    body = {
        "model": QWEN,
        "messages": [{"role": "user", "content": "Write on and on."}],
        "max_tokens": 60_000,
        "ignore_eos": True,
        "stream": True,
    }
    async with stage.session.post(f"{stage.hermes.base_url}/chat/completions", json=body) as reply:
        assert reply.status == 200
        async for _ in reply.content.iter_any():
            pass


@contextlib.asynccontextmanager
async def users(stage, number):
    """Have users' long answers under way: one runs, the others wait."""
    async with asyncio.TaskGroup() as tasks:
        # At full speed this one answer would take both cores from everybody else.
        asked = [tasks.create_task(stage.hermes.slow_down())]
        asked += [tasks.create_task(a_long_answer(stage)) for _ in range(number)]
        async with asyncio.timeout(PATIENCE_S):
            while await counted(stage) != (1, number - 1):
                await asyncio.sleep(0.05)
        yield
        for one in asked:
            one.cancel()


async def test_a_queue_that_is_full(stage):
    """Behind a user's long answer a drill is too late: the queue has no room for a fallback."""
    async with users(stage, 1):
        rows = await stage.drill("gpt", shapes=("chat",), stream=True, deadline_s=stage.short_s())
    assert kinds(rows) == {Kind.TOO_LATE}
    assert kinds(await stage.drill("gpt", shapes=("chat",))) == {"passed"}


async def test_a_queue_in_which_users_wait(stage):
    """While users wait no drill is sent, because they would wait for it, too."""
    async with users(stage, 2):
        rows = await stage.drill("gpt", shapes=("chat",), stream=True, deadline_s=stage.short_s())
        look = await stage.look("hermes", depth=Depth.METRICS)
    assert kinds(rows) == {Kind.ENGINE_BUSY}
    assert {row.outcome for row in rows.values()} == {Outcome.INCONCLUSIVE}
    assert look.state is State.BUSY, look.reason


async def killed_in_mid_stream(stage):
    """Kill the engine as soon as the first piece of its answer has passed."""
    await stage.engines(hermes=ONE_AT_A_TIME)
    stage.tap.on_first_content = stage.gemma.kill_core
    async with asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(stage.gemma.slow_down())
        rows = await stage.drill("sonnet", shapes=("tool_call",), stream=True)
        slow.cancel()
    assert stage.tap.on_first_content is None, "the engine was not killed"
    async with asyncio.timeout(PATIENCE_S):
        while stage.gemma.running:
            await asyncio.sleep(0.05)
    return rows


@pytest.mark.one_of_a_kind
async def test_an_engine_killed_in_mid_stream(stage):
    """When the engine dies with half an answer out, the hop is what failed."""
    rows = await killed_in_mid_stream(stage)
    for _ in range(2):
        if kinds(rows) != {"passed"}:
            break
        # On a machine that others load the answer can be whole before the kill arrives.
        rows = await killed_in_mid_stream(stage)
    assert kinds(rows) == {Kind.HOP_FAILED}


async def test_an_engine_that_has_gone(stage):
    """A stopped engine refuses the connection, and the drill says that the hop failed."""
    await stage.gemma.stop()
    rows = await stage.drill("claude", shapes=SHAPES)
    assert kinds(rows) == {Kind.HOP_FAILED}
    assert all("no connection" in str(row.findings) for row in rows.values())
    assert (await stage.look("gemma")).state is State.DOWN
