"""Reading an engine's own counters."""

import aiohttp
from aiohttp import web

from chaos.drill.engine_load import EngineCounters, delta, parse, read_counters
from tests.fakes.server import serving

METRICS = """
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="gemma"} 2.0
vllm:num_requests_running{engine="0",model_name="gemma"} 1.0
vllm:request_success_total{finished_reason="stop",model_name="gemma"} 3.0
vllm:request_success_total{finished_reason="length",model_name="gemma"} 1.0
vllm:generation_tokens_total{model_name="gemma"} 40.0
vllm:tool_call_parser_invocations_total{mode="streaming",outcome="tool_call"} 5.0
vllm:tool_call_parser_invocations_total{mode="streaming",outcome="no_tool_call"} 9.0
vllm:something_new{a="b"} not-a-number
"""


def test_samples_of_one_metric_are_added_up():
    """An engine splits its counters by reason; a drill wants the sum."""
    counters = parse(METRICS)
    assert counters == EngineCounters(
        requests=4.0, generation_tokens=40.0, tool_calls_parsed=5.0, running=1.0, waiting=2.0
    )
    assert counters.busy is True


def test_an_engine_that_does_not_say_is_unknown_not_idle():
    """No queue metric means that nobody knows, which is not the same as an empty queue."""
    assert parse("python_info 1").busy is None


def test_a_delta_is_unknown_where_one_side_is():
    """A counter that appeared during the drill has no before."""
    moved = delta("gemma", EngineCounters(requests=1.0), EngineCounters(requests=3.0))
    assert (moved.requests, moved.generation_tokens) == (2.0, None)


async def test_counters_are_read_from_the_root_of_the_engine():
    """The base URL of a deployment ends in /v1; the metrics do not live there."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=METRICS if request.path == "/metrics" else "", status=200)

    async with serving(handle) as url, aiohttp.ClientSession() as session:
        counters = await read_counters(session, f"{url}/v1")
    assert counters is not None
    assert counters.waiting == 2.0


async def test_a_page_that_comes_in_pieces_is_read_to_its_end():
    """The queue may stand far below the histograms; a busy engine must not look idle."""
    histogram = 'vllm:time_to_first_token_seconds_bucket{le="1"} 1.0\n' * 4000

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for piece in (histogram, histogram, METRICS):
            await reply.write(piece.encode())
        return reply

    async with serving(handle) as url, aiohttp.ClientSession() as session:
        counters = await read_counters(session, url)
    assert counters is not None
    assert counters.busy is True


async def test_a_page_too_large_to_be_read_whole_is_unknown(monkeypatch):
    """Half of the counters could say that nobody waits."""
    monkeypatch.setattr("chaos.drill.engine_load.MOST_METRICS_BYTES", len(METRICS) - 1)

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=METRICS)

    async with serving(handle) as url, aiohttp.ClientSession() as session:
        assert await read_counters(session, url) is None


async def test_an_engine_without_metrics_is_no_error():
    """Ollama and others publish none; drills go on without counters."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=404)

    async with serving(handle) as url, aiohttp.ClientSession() as session:
        assert await read_counters(session, url) is None
