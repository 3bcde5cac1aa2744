"""May a drill run now? The engine is asked right before each drill and each direct sample."""

from collections.abc import Callable, Mapping

import aiohttp

from chaos.drill.drill import Refusal
from chaos.gateway.topology import Deployment
from chaos.judge.check import Kind
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan
from supervisor.engine.http import get_metrics
from supervisor.engine.metrics import read_vitals
from supervisor.engine.residency import is_loaded, loaded_models


class Guard:
    """Keeps drills away from engines with queued requests, and from models that are not loaded.

    Args:
        urls: Where each engine is, by model group; by default where the plan's hop is.
        may_load: Reports whether a drill may have an engine load another model now.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: Mapping[str, str],
        may_load: Callable[[], bool] = lambda: False,
    ) -> None:
        self._session = session
        self._urls = urls
        self._may_load = may_load

    async def may_run(self, plan: DrillPlan) -> Refusal | None:
        """Refuse a drill that would make users wait."""
        if plan.expect is Expected.REFUSED:
            return None  # No engine is asked.
        serving = plan.scenario.expected_hop
        url = self._urls.get(serving or "") or engine_of(plan)
        if url is None:
            return None
        return await self._busy(serving, url) or await self._evicts(plan, url)

    async def _busy(self, serving: str | None, url: str) -> Refusal | None:
        page = await get_metrics(self._session, url)
        vitals = read_vitals(page) if page is not None else None
        if vitals is None or not vitals.busy:
            return None
        return Refusal(
            Kind.ENGINE_BUSY,
            f"{vitals.waiting:.0f} request(s) of users wait in the queue of {serving!r}",
            "Drill again when the engine has room; drills never make users wait longer.",
        )

    async def _evicts(self, plan: DrillPlan, url: str) -> Refusal | None:
        hop = plan.hop(plan.scenario.expected_hop or "")
        if hop is None or self._may_load() or not any(map(_loads, hop.deployments)):
            return None
        loaded = await loaded_models(self._session, url)
        cold = [d.upstream_model for d in hop.deployments if loaded is not None]
        if loaded is None or any(is_loaded(model, loaded) for model in cold):
            return None
        others = f"{', '.join(sorted(loaded))} is in use" if loaded else "nothing is loaded"
        return Refusal(
            Kind.WOULD_EVICT,
            f"the engine of {hop.group!r} would have to load {cold[0]}, and {others}",
            "Drill when it is loaded, or name a window under schedule.load_windows.",
        )


def _loads(deployment: Deployment) -> bool:
    """Report whether its engine may load models on demand: vLLM never does."""
    return deployment.local and deployment.provider != "hosted_vllm"


def engine_of(plan: DrillPlan) -> str | None:
    """Name the address of the local engine that has to serve; None if there is not one."""
    hop = plan.hop(plan.scenario.expected_hop or "")
    addresses = {d.base_url for d in hop.deployments if d.local} if hop else set()
    one = len(addresses) == 1 and hop is not None and all(d.local for d in hop.deployments)
    return addresses.pop() if one else None
