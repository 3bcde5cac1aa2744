"""May a drill run now? The engine is asked right before each drill and each direct sample."""

from collections.abc import Mapping

import aiohttp

from chaos.drill.drill import Refusal
from chaos.judge.check import Kind
from chaos.scenario.plan import DrillPlan
from supervisor.engine.http import get_metrics
from supervisor.engine.metrics import read_vitals


class Guard:
    """Keeps drills away from engines with queued requests.

    Args:
        urls: Where each engine is, by model group; by default where the plan's hop is.
    """

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[str, str]) -> None:
        self._session = session
        self._urls = urls

    async def may_run(self, plan: DrillPlan) -> Refusal | None:
        """Refuse a drill that would make users wait."""
        serving = plan.scenario.expected_hop
        url = self._urls.get(serving or "") or engine_of(plan)
        page = await get_metrics(self._session, url) if url else None
        vitals = read_vitals(page) if page is not None else None
        if vitals is None or not vitals.busy:
            return None
        return Refusal(
            Kind.ENGINE_BUSY,
            f"{vitals.waiting:.0f} request(s) of users wait in the queue of {serving!r}",
            "Drill again when the engine has room; drills never make users wait longer.",
        )


def engine_of(plan: DrillPlan) -> str | None:
    """Name the address of the local engine that has to serve; None if there is not one."""
    hop = plan.hop(plan.scenario.expected_hop or "")
    addresses = {d.base_url for d in hop.deployments if d.local} if hop else set()
    one = len(addresses) == 1 and hop is not None and all(d.local for d in hop.deployments)
    return addresses.pop() if one else None
