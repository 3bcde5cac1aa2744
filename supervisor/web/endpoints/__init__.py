"""Everything that can be asked, by subject.

To add one: in a file here write an async function that takes the request and answers with a model
of ``supervisor.web.answers``, and an ``Endpoint`` for it in the file's ``ENDPOINTS``; a new file is
listed below. Routing, access, the API's description and its test follow.
"""

from supervisor.web.endpoint import Endpoint
from supervisor.web.endpoints import (
    alerts,
    benchmarks,
    drills,
    halting,
    health,
    heartbeats,
    live,
    metrics,
    page,
    snapshot,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *page.ENDPOINTS,
    *health.ENDPOINTS,
    *snapshot.ENDPOINTS,
    *alerts.ENDPOINTS,
    *benchmarks.ENDPOINTS,
    *metrics.ENDPOINTS,
    *drills.ENDPOINTS,
    *live.ENDPOINTS,
    *halting.ENDPOINTS,
    *heartbeats.ENDPOINTS,
)
