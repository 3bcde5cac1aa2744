"""What is known now: everything here reads one snapshot."""

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from supervisor.coverage.ledger import PathState
from supervisor.web.answers.paths import CoverageAnswer
from supervisor.web.answers.status import StatusAnswer
from supervisor.web.answers.topology import TopologyAnswer
from supervisor.web.endpoint import DESK, Endpoint, answered, in_query
from supervisor.web.problem import Refused


class CoverageQuery(BaseModel):
    """Which paths; all of them if nothing is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str | None = None
    hop: str | None = None
    state: PathState | None = None


async def status(request: web.Request) -> web.Response:
    """Show everything but the single paths."""
    return answered(StatusAnswer.of(await request.app[DESK].world.status()))


async def coverage(request: web.Request) -> web.Response:
    """Show the paths."""
    query = in_query(request, CoverageQuery)
    known = await request.app[DESK].world.status()
    paths = {
        path: one
        for path, one in known.paths.items()
        if query.group in (None, path.group)
        and query.hop in (None, path.hop)
        and query.state in (None, one.record.state)
    }
    return answered(CoverageAnswer.of(known, paths))


async def topology(request: web.Request) -> web.Response:
    """Show what the gateway says that it would do."""
    known = request.app[DESK].world.topology()
    if known is None:
        raise Refused(
            503,
            what="no topology was shown",
            why="the gateway has not been read yet",
            remedy="Ask again in a moment; GET /api/v1/status says what keeps it.",
        )
    return answered(TopologyAnswer.of(known))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/topology",
        "The gateway's groups, deployments and chains, as last read.",
        topology,
        answer=TopologyAnswer,
        errors=(503,),
    ),
    Endpoint(
        "GET",
        "/api/v1/status",
        "Everything that is known now, without the single paths.",
        status,
        answer=StatusAnswer,
        errors=(503,),
    ),
    Endpoint(
        "GET",
        "/api/v1/coverage",
        "Every path: how it stands, and what was proven when.",
        coverage,
        answer=CoverageAnswer,
        query=CoverageQuery,
        errors=(503,),
    ),
)
