"""How fast the engines are; and a benchmark that a command has taken, to be kept."""

from aiohttp import web

from supervisor.web.answers.benchmarks import BenchmarkAnswer, BenchmarksAnswer, BenchmarkSent
from supervisor.web.endpoint import DESK, Door, Endpoint, answered, in_body


async def listed(request: web.Request) -> web.Response:
    """Show every engine's benchmarks."""
    return answered(BenchmarksAnswer.of(await request.app[DESK].world.status()))


async def taken(request: web.Request) -> web.Response:
    """Keep a benchmark; one that is there already is no error."""
    sent = await in_body(request, BenchmarkSent)
    await request.app[DESK].world.add_benchmark(sent.record)
    return answered(BenchmarkAnswer.of(sent.record), status=201)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/benchmarks",
        "How fast each engine is, against its baseline, and every benchmark that is kept.",
        listed,
        answer=BenchmarksAnswer,
        errors=(503,),
    ),
    Endpoint(
        "POST",
        "/api/v1/benchmarks",
        "Keep a benchmark that 'understudy bench run' has taken.",
        taken,
        door=Door.CHANGE,
        answer=BenchmarkAnswer,
        body=BenchmarkSent,
        status=201,
        errors=(413, 415, 503),
    ),
)
