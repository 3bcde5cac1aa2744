"""One run of a scenario: lease, ask, observe, judge. The lease ends whatever happens."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import aiohttp

from chaos.check import Check, Kind
from chaos.client import ask
from chaos.clock import Clock
from chaos.conversation import Json
from chaos.engine import EngineCounters, delta, read_counters
from chaos.injector import Injector
from chaos.lease import Lease
from chaos.observation import ClientReply, EngineDelta, Observation
from chaos.plan import DrillOptions, asking_directly, make_plan
from chaos.reading import Reading
from chaos.scenario import Catalogue, DrillPlan, HopRole, Scenario
from chaos.topology import Topology
from chaos.verdict import Verdict, judge

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
    """

    session: aiohttp.ClientSession
    catalogue: Catalogue
    checks: Sequence[Check]
    options: DrillOptions
    clock: Clock
    rng: random.Random
    engines: Mapping[str, str]
    collateral: Callable[[], Awaitable[tuple[str, ...]]] | None = None

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
            samples = await self._ask_directly(scenario, injector, plan.nonce)
            requests += len(samples)
            seen = replace(seen, direct=samples)
            verdict = judge(plan, seen, self.checks)
        return Drill(plan, verdict, seen, started_at, requests)

    def aborted(self, scenario: Scenario, injector: Injector, why: str) -> Drill:
        """Make the record of a drill that was broken off."""
        plan = self._plan(scenario, injector, self.options)
        seen = Observation(NOTHING_YET, aborted=why)
        return Drill(plan, judge(plan, seen, ()), seen, self.clock.now(), 0)

    def _plan(
        self,
        scenario: Scenario,
        injector: Injector,
        options: DrillOptions,
        *,
        attempt: int = 1,
        nonce: str | None = None,
    ) -> DrillPlan:
        return make_plan(
            scenario,
            injector.topology,
            self.catalogue,
            options,
            rng=self.rng,
            injector=injector.name,
            attempt=attempt,
            nonce=nonce,
        )

    async def _run(
        self, plan: DrillPlan, injector: Injector
    ) -> tuple[DrillPlan, Verdict, Observation]:
        engine = self._engine_of(plan)
        before = await self._counters(engine)
        lease: Lease | None = None
        try:
            async with injector.route(plan) as route:
                lease = route.lease
                reply = await ask(
                    self.session,
                    self.catalogue.surfaces[plan.scenario.surface],
                    url=route.url,
                    key=route.key,
                    body={**self._body(plan), **route.body},
                    headers=self._profile_headers(),
                    stream=plan.scenario.stream,
                    deadline_s=plan.deadline_s,
                )
                # Attempts that still answer get a moment; after a deadline nobody waits.
                wire = await lease.end(grace_s=0.0 if reply.timed_out else 1.0)
        except asyncio.CancelledError:
            # Who stops a drill leaves no more behind in the gateway than who waits for its end.
            if lease is not None:
                await injector.settle(plan, lease.records())
            raise
        wire = injector.infer(plan, wire, reply.status)
        moved = await self._moved(engine, before)
        await injector.settle(plan, wire)
        seen = Observation(
            reply=reply,
            wire=wire,
            strays=lease.strays,
            engine=moved,
            collateral=await self.collateral() if self.collateral else (),
        )
        return plan, judge(plan, seen, self.checks), seen

    def _body(self, plan: DrillPlan) -> Json:
        surface = self.catalogue.surfaces[plan.scenario.surface]
        return surface.format.write_ask(
            plan.task.ask, model=plan.scenario.group, stream=plan.scenario.stream
        )

    def _profile_headers(self) -> Mapping[str, str]:
        profile = self.options.profile
        return {k: str(v) for k, v in profile.headers.items()} if profile else {}

    async def _ask_directly(
        self, scenario: Scenario, injector: Injector, nonce: str
    ) -> tuple[Reading, ...]:
        """Ask the serving hop the same three times without a fault, on the same way."""
        readings: list[Reading] = []
        direct = asking_directly(scenario)
        for _ in range(DIRECT_SAMPLES):
            plan = self._plan(direct, injector, self.options, nonce=nonce)
            async with injector.route(plan) as route:
                await ask(
                    self.session,
                    self.catalogue.surfaces[scenario.surface],
                    url=route.url,
                    key=route.key,
                    body={**self._body(plan), **route.body},
                    headers=self._profile_headers(),
                    stream=scenario.stream,
                    deadline_s=plan.deadline_s,
                )
                wire = await route.lease.end()
            readings.extend(record.reply for record in wire if record.reply is not None)
        return tuple(readings)

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
