"""Ask the gateway on a route: whatever happens, what crossed the wire is noted."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import aiohttp

from chaos.drill.drill import NOTHING_YET, Drill
from chaos.drill.injector import Injector, Route
from chaos.drill.requests.client import ask
from chaos.judge.check import Finding
from chaos.judge.observation import ClientReply, Observation
from chaos.judge.verdict import Outcome, Verdict
from chaos.protocol.conversation import Json
from chaos.scenario.plan import DrillPlan, Planner
from chaos.witness.redaction import Scrub
from chaos.witness.wire_record import WireRecord, credentials

FEWEST_CHARS_OF_A_KEY = 8
"""A shorter one is no provider's, and may stand in a reply by chance."""


@dataclass(slots=True)
class Progress:
    """How far a drill has come, for the record of one that is broken off.

    Attributes:
        requests: Sent to the gateway so far.
        wire: What crossed the wire so far, each with the plan of its request.
        seen: What crossed the wire in the request that is running.
    """

    plan: DrillPlan
    started_at: datetime
    requests: int = 0
    wire: list[tuple[DrillPlan, WireRecord]] = field(default_factory=list)
    seen: Observation = field(default_factory=lambda: Observation(NOTHING_YET))

    def ended(self, verdict: Verdict, seen: Observation) -> Drill:
        """Make the drill of what was sent, with its verdict."""
        wire = tuple(self.wire)
        return Drill(self.plan, verdict, seen, self.started_at, self.requests, wire)

    def aborted(self, why: str, finding: Finding | None = None) -> Drill:
        """Make the drill of what was sent by now; nothing is judged."""
        findings = (finding,) if finding is not None else ()
        return self.ended(Verdict(Outcome.ABORTED, None, findings), replace(self.seen, aborted=why))


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks as a client does.

    Attributes:
        session: Towards the gateway.
        planners: By injector: they made the plans.
        secrets: Keys of ours that no observation may hold, whoever repeats them.
    """

    session: aiohttp.ClientSession
    planners: Mapping[str, Planner]
    secrets: frozenset[str]

    @asynccontextmanager
    async def routed(
        self, plan: DrillPlan, injector: Injector, progress: Progress
    ) -> AsyncIterator[Route]:
        """Take a route, and note what crossed the wire, also if the drill is broken off on it."""
        taken: Route | None = None
        try:
            async with injector.route(plan) as taken:
                progress.requests += 1
                yield taken
        except BaseException:
            if taken is not None:
                seen = Observation(NOTHING_YET, wire=taken.lease.records())
                progress.seen = self.scrub(taken)(seen)
            raise
        finally:
            if taken is not None:
                progress.requests += taken.settled
                records = self.scrub(taken)(taken.lease.records())
                progress.wire += [(plan, record) for record in records]

    async def ask(self, plan: DrillPlan, route: Route) -> ClientReply:
        """Send the request of *plan*; whatever comes is a reply."""
        planner = self.planners[plan.injector]
        asked = _body(plan, planner)
        return await ask(
            self.session,
            planner.catalogue.surfaces[plan.scenario.surface],
            url=route.url,
            key=route.key,
            body={**asked, **route.body},
            headers=plan.task.headers,
            stream=plan.scenario.stream,
            deadline_s=plan.deadline_s,
            keys=lambda: self._keys_of_hops(route, json.dumps(asked, ensure_ascii=False)),
        )

    def _keys_of_hops(self, route: Route, asked: str) -> frozenset[str]:
        """List the keys that hops were shown, and that the client has no business to see.

        What stands in the prompt may come back, whatever else it is.
        """
        shown = {*route.lease.credentials, *self.secrets} - self._ours(route)
        return frozenset(
            key for key in shown if len(key) >= FEWEST_CHARS_OF_A_KEY and key not in asked
        )

    def _ours(self, route: Route) -> frozenset[str]:
        """Know what the client itself carries."""
        profiles = (planner.options.all_headers for planner in self.planners.values())
        carried = (credentials(headers) for each in profiles for headers in each)
        return frozenset({route.key, f"Bearer {route.key}"}).union(*carried)

    def scrub(self, route: Route) -> Scrub:
        """Know every credential that anybody may have repeated in this drill."""
        return Scrub({*self._ours(route), *self.secrets, *route.lease.credentials})


def _body(plan: DrillPlan, planner: Planner) -> Json:
    surface = planner.catalogue.surfaces[plan.scenario.surface]
    return surface.format.write_ask(
        plan.task.ask, model=plan.scenario.group, stream=plan.scenario.stream
    )
