"""One streamed reply, and when each piece of it came."""

import json
from typing import Any

import pytest
from aiohttp import web

from chaos.clock import SystemClock
from chaos.http_client import open_session
from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.serving import serving
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.baseline.stream import NoReplyError, Timed, timed
from tests.patience import PATIENCE_S

BODY = {
    "model": GEMMA,
    "messages": [{"role": "user", "content": "Write."}],
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0,
    "max_tokens": 200,
    "cache_salt": "x",
}


async def asked(url: str, within_s: float = PATIENCE_S, **body) -> Timed:
    """Time one reply."""
    async with open_session() as session:
        sent = {**BODY, **body}
        return await timed(session, SystemClock(), url, sent, key=None, within_s=within_s)


def events(*chunks, done: bool = True) -> str:
    """Write a stream."""
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""])


def says(text: str | None = None, finish: str | None = None, **delta) -> dict[str, Any]:
    """One chunk with a choice."""
    content = {} if text is None else {"content": text}
    return {"choices": [{"index": 0, "delta": {**content, **delta}, "finish_reason": finish}]}


async def answered(body: str, status: int = 200, **options) -> Timed:
    """Time what a server of one answer sends."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    async with serving(app) as url:
        return await asked(str(url).rstrip("/"), **options)


async def test_tokens_are_counted_by_usage_and_not_by_chunks():
    """Four tokens in each chunk, as speculative decoding sends them."""
    flags = EngineFlags(tokens_per_s=2000, tokens_per_chunk=4, writes_tokens=200, thinks=False)
    async with SimulatedEngine(flags) as engine:
        found = await asked(engine.url)
        metrics = engine.metrics
    assert found.tokens == metrics.generation_tokens_total
    assert found.tokens == pytest.approx(200, abs=4)
    assert len(found.arrivals_s) < found.tokens / 3
    took_s = found.last_s - found.arrivals_s[0]
    assert found.itl_s == pytest.approx(took_s / (found.tokens - 1))


async def test_the_first_text_counts_and_not_the_chunk_that_names_the_role():
    """Some engines send that before they have computed anything; thoughts are text, too."""
    usage = {"choices": [], "usage": {"completion_tokens": 3, "prompt_tokens": 9}}
    role, thought = says(role="assistant", content=""), says(reasoning="hm")
    found = await answered(events(role, thought, says("a"), says(finish="stop"), usage))
    assert len(found.arrivals_s) == 2
    assert (found.tokens, found.prompt_tokens) == (3, 9)
    assert found.ttft_s == found.arrivals_s[0] <= found.last_s <= found.end_s


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ("no such model", 404, "it answers 404: no such model"),
        ("broken", 500, "it answers 500: broken"),
        ("bad request", 400, "it answers 400: bad request"),
        ("", 200, "its stream has no text"),
        ("data: nonsense\n\ndata: [1]\n\n" + events(says(finish="stop")), 200, "no text"),
        (events(says("a"), {"error": {"message": "died"}}), 200, "an error in its stream"),
    ],
)
async def test_no_reply_says_why(body, status, why):
    """In the engine's own words."""
    with pytest.raises(NoReplyError, match=why):
        await answered(body, status)


async def test_nobody_there_and_nobody_in_time_are_told_apart():
    """Neither is a figure."""
    with pytest.raises(NoReplyError, match="no whole reply: "):
        await asked("http://127.0.0.1:9")
    async with SimulatedEngine(EngineFlags(hung=True)) as engine:
        with pytest.raises(NoReplyError, match=r"no whole reply within 0\.2 s"):
            await asked(engine.url, within_s=0.2)


async def test_an_extension_that_an_engine_refuses_by_name_is_left_out():
    """Older engines know no cache_salt; and what is asked for beside it is asked for still."""
    seen: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append(body)
        for name in ("cache_salt", "ignore_eos"):
            if name in body:
                return web.json_response({"error": f"Unsupported parameter: {name}"}, status=400)
        return web.Response(text=events(says("a")), content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    async with serving(app) as url:
        await asked(str(url).rstrip("/"), ignore_eos=True)
    assert [len(body) for body in seen] == [8, 7, 6]
    assert seen[-1] == {name: value for name, value in BODY.items() if name != "cache_salt"}


def test_times_between_tokens_need_two_tokens_that_came_apart():
    """A single token has no speed, and what came at once has none either."""
    assert Timed([1.0], 1.0, 1.0, 1).itl_s is None
    assert Timed([1.0, 1.0], 1.0, 1.0, 9).itl_s is None
    assert Timed([1.0, 2.0, 3.0], 3.0, 3.0, 5).itl_s == pytest.approx(0.5)
    assert Timed([1.0]).gap_p99_s is None
    assert Timed([1.0, 3.0]).gap_p99_s == pytest.approx(2.0)
    assert Timed([0.0, 1.0, 2.0, 5.0]).gap_p99_s == pytest.approx(3.0, abs=0.1)
