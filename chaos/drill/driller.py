"""One run of a scenario: lease, ask, observe, judge. The lease ends whatever happens."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import aiohttp

from chaos.clock import Clock
from chaos.drill.client import ask
from chaos.drill.engine_load import EngineCounters, delta, read_counters
from chaos.drill.injector import Injector, Route
from chaos.gateway.topology import Topology
from chaos.judge.check import Check, Kind
from chaos.judge.observation import ClientReply, EngineDelta, Observation
from chaos.judge.verdict import Verdict, judge
from chaos.protocol.conversation import Json
from chaos.protocol.reading import Reading
from chaos.scenario.expand import Catalogue, DrillPlan, HopRole, Scenario
from chaos.scenario.plan import DrillOptions, asking_directly, make_plan
from chaos.witness.redaction import Scrub
from chaos.witness.wire_record import credentials

MaySample = Callable[[Scenario], Awaitable[object | None]]
"""Returns why a scenario may not be asked now, in whatever form; None if it may."""

DIRECT_SAMPLES = 3
"""How often the serving hop is asked directly when its own reply missed something."""

NOTHING_YET = ClientReply(status=None, reading=Reading())


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that has ended.

    Attributes:
        requests: Requests sent to the gateway for it, canaries and direct samples included.
    """

    plan: DrillPlan
    verdict: Verdict
    seen: Observation
    started_at: datetime
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Driller:
    """What drills need besides a scenario; one for a campaign.

    Attributes:
        session: Towards the gateway.
        rng: Gives nonces and ids.
        engines: Metrics address by model group, for hops whose engine publishes counters.
        collateral: Asked after a drill: what changed for other traffic since the start.
        may_sample: The guard: asked right before each direct sample.
        secrets: Keys of ours that no observation may hold, whoever repeats them.
    """

    session: aiohttp.ClientSession
    catalogue: Catalogue
    checks: Sequence[Check]
    options: DrillOptions
    clock: Clock
    rng: random.Random
    engines: Mapping[str, str]
    collateral: Callable[[], Awaitable[tuple[str, ...]]] | None = None
    may_sample: MaySample | None = None
    secrets: frozenset[str] = frozenset()
    _broken_off: dict[str, tuple[DrillPlan, Observation]] = field(default_factory=dict)

    async def drill(self, scenario: Scenario, injector: Injector) -> Drill:
        """Run *scenario* once; a second time with more tokens if reasoning took them all.

        Real keys are used only after a canary of the same chain has arrived unproxied.
        """
        started_at = self.clock.now()
        requests = 0
        plan = self._plan(scenario, injector, self.options)
        if not plan.canary and not injector.trusts_real_keys(plan):
            cautious = replace(self.options, real_keys=False)
            canary = await self._run(self._plan(scenario, injector, cautious), injector)
            requests += 1
            if not injector.trusts_real_keys(plan):
                return Drill(canary[0], canary[1], canary[2], started_at, requests)
        plan, verdict, seen = await self._run(plan, injector)
        requests += 1
        # What costs money is asked once: the guard has reserved no more.
        if verdict.kind is Kind.TOKEN_BUDGET and plan.canary:
            plan = self._plan(scenario, injector, self.options, attempt=2)
            plan, verdict, seen = await self._run(plan, injector)
            requests += 1
        if verdict.kind is Kind.MODEL_UNRELIABLE and plan.canary:
            samples = await self._ask_directly(scenario, injector)
            requests += len(samples)
            seen = replace(seen, direct=tuple(reply for reply in samples if reply is not None))
            verdict = judge(plan, seen, self.checks)
        return Drill(plan, verdict, seen, started_at, requests)

    def aborted(self, scenario: Scenario, injector: Injector, why: str) -> Drill:
        """Make the record of a drill that was broken off, with what it had sent by then."""
        left = self._broken_off.pop(scenario.key, None)
        plan, seen = left or (
            self._plan(scenario, injector, self.options),
            Observation(NOTHING_YET),
        )
        seen = replace(seen, aborted=why)
        requests = 1 if left is not None else 0
        return Drill(plan, judge(plan, seen, ()), seen, self.clock.now(), requests)

    def _plan(
        self,
        scenario: Scenario,
        injector: Injector,
        options: DrillOptions,
        *,
        attempt: int = 1,
    ) -> DrillPlan:
        return make_plan(
            scenario,
            injector.topology,
            self.catalogue,
            options,
            rng=self.rng,
            injector=injector.name,
            attempt=attempt,
        )

    async def _run(
        self, plan: DrillPlan, injector: Injector
    ) -> tuple[DrillPlan, Verdict, Observation]:
        engine = self._engine_of(plan)
        before = await self._counters(engine)
        async with self._accounted(plan, injector) as route:
            reply = await self._ask(plan, route)
            # Attempts that still answer get a moment; after a deadline nobody waits.
            wire = await route.lease.end(grace_s=0.0 if reply.timed_out else 1.0)
        seen = Observation(
            reply=reply,
            wire=injector.infer(plan, wire, reply),
            strays=route.lease.strays,
            engine=await self._moved(engine, before),
            collateral=await self._felt(plan),
        )
        seen = self._scrub(route)(seen)
        return plan, judge(plan, seen, self.checks), seen

    @asynccontextmanager
    async def _accounted(self, plan: DrillPlan, injector: Injector) -> AsyncIterator[Route]:
        """Take a route, and keep what crossed the wire if the drill is broken off on it.

        What was sent costs what it costs, also where nobody waits for its end.
        """
        taken: Route | None = None
        try:
            async with injector.route(plan) as taken:
                yield taken
        except asyncio.CancelledError:
            if taken is not None:
                seen = Observation(NOTHING_YET, wire=taken.lease.records())
                self._broken_off[plan.scenario.key] = (plan, self._scrub(taken)(seen))
            raise

    async def _ask(self, plan: DrillPlan, route: Route) -> ClientReply:
        return await ask(
            self.session,
            self.catalogue.surfaces[plan.scenario.surface],
            url=route.url,
            key=route.key,
            body={**self._body(plan), **route.body},
            headers=self._profile_headers(),
            stream=plan.scenario.stream,
            deadline_s=plan.deadline_s,
        )

    def _scrub(self, route: Route) -> Scrub:
        """Know every credential that anybody may have repeated in this drill."""
        ours = credentials(self._profile_headers())
        return Scrub({route.key, *self.secrets, *ours, *route.lease.credentials})

    def _body(self, plan: DrillPlan) -> Json:
        surface = self.catalogue.surfaces[plan.scenario.surface]
        return surface.format.write_ask(
            plan.task.ask, model=plan.scenario.group, stream=plan.scenario.stream
        )

    def _profile_headers(self) -> Mapping[str, str]:
        profile = self.options.profile
        return {k: str(v) for k, v in profile.headers.items()} if profile else {}

    async def _ask_directly(self, scenario: Scenario, injector: Injector) -> list[Reading | None]:
        """Ask the serving hop the same three times without a fault, on the same way.

        Fewer times where the way, or the guard, does not let a request through.
        """
        direct = asking_directly(scenario)
        readings: list[Reading | None] = []
        for _ in range(DIRECT_SAMPLES):
            if injector.objection(direct) is not None:
                break
            if self.may_sample is not None and await self.may_sample(direct) is not None:
                break
            plan = self._plan(direct, injector, self.options)
            async with injector.route(plan) as route:
                await self._ask(plan, route)
                wire = await route.lease.end()
            replies = [record.reply for record in wire if record.reply is not None]
            readings.append(self._scrub(route)(replies[-1]) if replies else None)
        return readings

    async def _felt(self, plan: DrillPlan) -> tuple[str, ...]:
        """Tell what others felt; a twin has no others."""
        own = plan.injector == "twin"
        return () if self.collateral is None or own else await self.collateral()

    def _engine_of(self, plan: DrillPlan) -> tuple[str, str] | None:
        serving = next((hop.group for hop in plan.hops if hop.role is HopRole.SERVE), None)
        url = self.engines.get(serving) if serving is not None else None
        return (serving, url) if serving is not None and url is not None else None

    async def _counters(self, engine: tuple[str, str] | None) -> EngineCounters | None:
        return await read_counters(self.session, engine[1]) if engine else None

    async def _moved(
        self, engine: tuple[str, str] | None, before: EngineCounters | None
    ) -> tuple[EngineDelta, ...]:
        if engine is None or before is None:
            return ()
        after = await self._counters(engine)
        return (delta(engine[0], before, after),) if after else ()


def engines_of(topology: Topology) -> dict[str, str]:
    """Name the engine address of each local group whose deployments share one."""
    found = {}
    for name, group in topology.groups.items():
        addresses = {deployment.base_url for deployment in group.deployments}
        address = addresses.pop() if len(addresses) == 1 else None
        if group.local and address is not None:
            found[name] = address
    return found
