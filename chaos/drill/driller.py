"""One run of a plan: lease, ask, observe, judge. The lease ends whatever happens."""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import aiohttp

from chaos.clock import Clock
from chaos.drill.client import ask
from chaos.drill.collateral import CollateralWatch
from chaos.drill.drill import DEFECT, MAY_RUN, NOTHING_YET, STOOD_STILL, Drill, Refusal
from chaos.drill.injector import Injector, Route
from chaos.drill.pace import Pace, Undisturbed
from chaos.drill.sequence import SequenceRun
from chaos.drill.standstill import Standstill
from chaos.drill.whole_group import WholeGroup
from chaos.faults.fault import Phase
from chaos.judge.check import Check, Finding, Kind, Result
from chaos.judge.evidence import ANSWERED, at_hop, has_answer
from chaos.judge.hop_reply import TRANSLATED, knows_no_such_endpoint
from chaos.judge.observation import ClientReply, Exchange, Load, Observation, Sample
from chaos.judge.sequence import judge_sequence
from chaos.judge.verdict import Outcome, Verdict, conclude, judge
from chaos.protocol.conversation import Json
from chaos.scenario.plan import Course, DrillPlan, Planner, with_vector_size
from chaos.witness.redaction import Scrub
from chaos.witness.wire_record import WireRecord, credentials

_LOG = logging.getLogger(__name__)

MayRun = Callable[[DrillPlan], Awaitable[Refusal | None]]
"""The guard: says why a plan may not be carried out now; None if it may."""

FEWEST_CHARS_OF_A_KEY = 8
"""A shorter one is no provider's, and may stand in a reply by chance."""

UNDISTURBED_WITHIN_S = 60.0
"""How long the one undisturbed request may take, whatever the drills' deadline is."""

MOST_STILL_S = 2.0
"""After a longer standstill of this process a failure is not believed."""

CHAT = "chat_completions"

DIRECT_SAMPLES = 3
"""How often the serving hop is asked directly when its own reply missed something."""


async def always(_: DrillPlan) -> Refusal | None:
    """Refuse nothing: the guard where there is none."""
    return None


@dataclass(slots=True)
class _Progress:
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
        wire = tuple(self.wire)
        return Drill(self.plan, verdict, seen, self.started_at, self.requests, wire)

    def aborted(self, why: str, finding: Finding | None = None) -> Drill:
        findings = (finding,) if finding is not None else ()
        return self.ended(Verdict(Outcome.ABORTED, None, findings), replace(self.seen, aborted=why))


@dataclass(frozen=True, slots=True)
class Driller:
    """What carries plans out; one for a campaign.

    Attributes:
        session: Towards the gateway.
        planners: By injector: they made the plans, and make what is derived from them.
        injectors: By name.
        collateral: Looks, after a drill of a gateway that serves others, what they felt.
        may_sample: The guard: asked right before each direct sample.
        secrets: Keys of ours that no observation may hold, whoever repeats them.
        reached: Tells whether any attempt of this gateway has reached the witness.
        pace: Knows the gateway's own reply time, and waits for late attempts.
        vector_sizes: Of the groups' own embeddings, as they were measured; kept for a campaign.
    """

    session: aiohttp.ClientSession
    planners: Mapping[str, Planner]
    injectors: Mapping[str, Injector]
    checks: Sequence[Check]
    clock: Clock
    collateral: CollateralWatch | None = None
    may_sample: MayRun = always
    secrets: frozenset[str] = frozenset()
    reached: Callable[[], bool] = lambda: False
    pace: Pace | None = None
    vector_sizes: dict[str, int] = field(default_factory=dict)

    async def drill(self, plan: DrillPlan) -> Drill:
        """Carry *plan* out.

        Whoever cancels this gets a drill too, aborted, with what it had sent by then: what was
        sent costs what it costs. So does an error of our own, because the other drills of the
        campaign are not its fault. And so does a failure while this process itself stood still.
        """
        progress = _Progress(plan, self.clock.now())
        try:
            with Standstill() as standstill:
                drill = await self._drill(plan, progress)
        except asyncio.CancelledError:
            return progress.aborted("the campaign was stopped")
        except Exception as error:  # noqa: BLE001 -- a row says so, and the log where
            return progress.aborted(*_broken_off(plan, error))
        if drill.verdict.outcome is Outcome.FAILED and standstill.longest_s > MOST_STILL_S:
            progress.seen = drill.seen
            return progress.aborted(*_stood_still(standstill.longest_s))
        return drill

    async def _drill(self, plan: DrillPlan, progress: _Progress) -> Drill:
        """Run *plan* once; a second time with more tokens if reasoning took them all.

        Real keys are used only after a canary of the same chain has arrived unproxied.
        """
        injector, planner = self.injectors[plan.injector], self.planners[plan.injector]
        if plan.course is not None:
            return await self._sequence(injector, progress, plan.course)
        if not plan.canary and injector.distrust(plan) is not None:
            progress.plan = planner.canary(plan)
            verdict, seen = await self._run(injector, progress)
            why = injector.distrust(plan)
            if why is not None:
                return progress.ended(_not_trusted(verdict, plan, why), seen)
            progress.plan = plan
        await self._learn_vector_size(injector, progress)
        verdict, seen = await self._run(injector, progress)
        # What costs money is asked once: no more was reserved for it.
        if verdict.kind is Kind.TOKEN_BUDGET and plan.canary:
            progress.plan = planner.retry(plan)
            verdict, seen = await self._run(injector, progress)
        if verdict.kind is Kind.MODEL_UNRELIABLE and plan.canary:
            samples = await self._ask_directly(planner.direct, injector, progress)
            seen = replace(seen, direct=tuple(samples))
            verdict = judge(progress.plan, seen, self.checks)
        without = lacks_endpoint(progress.plan, verdict, seen)
        if without is not None:
            seen = replace(seen, on_chat=await self._ask_on_chat(without, injector, progress))
            verdict = judge(progress.plan, seen, self.checks)
        if verdict.outcome is Outcome.PASSED:
            verdict, seen = await self._until_each_has_served(injector, progress, verdict, seen)
        return progress.ended(verdict, seen)

    async def _until_each_has_served(
        self, injector: Injector, progress: _Progress, verdict: Verdict, seen: Observation
    ) -> tuple[Verdict, Observation]:
        """Run the plan again until every deployment of the serving group has shown itself."""
        group = WholeGroup.of(progress.plan)
        if group is None:
            return verdict, seen
        group.note(seen.wire)
        while group.goes_on:
            plan = self.planners[progress.plan.injector].again(progress.plan)
            if not await self._may_ask(plan, injector):
                break
            progress.plan = plan
            verdict, seen = await self._run(injector, progress)
            group.note(seen.wire)
            if verdict.outcome is not Outcome.PASSED:
                return verdict, seen
        return conclude((*verdict.findings, group.finding())), seen

    async def _run(self, injector: Injector, progress: _Progress) -> tuple[Verdict, Observation]:
        plan = progress.plan
        async with self._routed(plan, injector, progress) as route:
            asked_at_s = time.monotonic()
            reply = await self._ask(plan, route)
            # Attempts that still answer get a moment; after a deadline nobody waits.
            wire = await route.lease.end(grace_s=0.0 if reply.timed_out else 1.0)
        if reply.timed_out and self.pace is not None:
            await self.pace.settle()
        seen = Observation(
            reply=reply,
            wire=injector.infer(plan, wire, reply),
            strays=route.lease.strays,
            load=Load(
                lag_s=_lag_s(wire, asked_at_s),
                undisturbed_s=self.pace.undisturbed.reply_s if self.pace is not None else None,
                reached=self.reached(),
            ),
            after=await self._after(plan, injector, progress),
            collateral=await self._felt(injector),
        )
        seen = self._scrub(route)(seen)
        injector.learn(plan, seen)
        return judge(plan, seen, self.checks), seen

    async def _sequence(self, injector: Injector, progress: _Progress, course: Course) -> Drill:
        """Send request after request over the fault's end, and judge them all."""
        plan = progress.plan
        async with self._routed(plan, injector, progress) as route:

            async def ask_once() -> ClientReply:
                # The route has counted the first already.
                progress.requests += bool(run.asked)
                return await self._ask(plan, route)

            run = SequenceRun(
                plan,
                course,
                route.lease,
                ask=ask_once,
                may_ask=lambda: self.may_sample(plan),
            )
            await run.go()
            wire = await route.lease.end()
        exchanges = run.exchanges(wire)
        seen = Observation(
            reply=_worst(exchanges),
            wire=wire,
            strays=route.lease.strays,
            exchanges=exchanges,
            down_at_s=run.down_at_s,
            well_at_s=run.well_at_s,
        )
        seen = self._scrub(route)(seen)
        verdict = judge_sequence(plan, seen, self.checks)
        if run.refusal is not None:
            failures = (f for f in verdict.findings if f.result is Result.FAILED)
            verdict = conclude((*failures, _stopped_by(run.refusal)))
        return progress.ended(verdict, seen)

    async def undisturbed(self, plan: DrillPlan) -> tuple[Undisturbed, Drill] | None:
        """Ask the group of *plan* without a fault, and measure; None where that may not be.

        The drill is what was sent for it; it is no part of the campaign's.
        """
        injector = self.injectors[plan.injector]
        patient_s = max(plan.deadline_s, UNDISTURBED_WITHIN_S)
        alone = self.planners[plan.injector].undisturbed(plan, patient_s)
        if not await self._may_ask(alone, injector):
            return None
        progress = _Progress(alone, self.clock.now())
        async with self._routed(alone, injector, progress) as route:
            asked_at_s = time.monotonic()
            reply = await self._ask(alone, route)
            wire = await route.lease.end()
        measured = Undisturbed(reply.total_s, _lag_s(wire, asked_at_s))
        return measured, progress.aborted("it was no drill")

    @asynccontextmanager
    async def _routed(
        self, plan: DrillPlan, injector: Injector, progress: _Progress
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
                progress.seen = self._scrub(taken)(seen)
            raise
        finally:
            if taken is not None:
                progress.requests += taken.settled
                records = self._scrub(taken)(taken.lease.records())
                progress.wire += [(plan, record) for record in records]

    async def _ask(self, plan: DrillPlan, route: Route) -> ClientReply:
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

    def _scrub(self, route: Route) -> Scrub:
        """Know every credential that anybody may have repeated in this drill."""
        return Scrub({*self._ours(route), *self.secrets, *route.lease.credentials})

    async def _ask_directly(
        self,
        direct: Callable[[DrillPlan], DrillPlan],
        injector: Injector,
        progress: _Progress,
    ) -> list[Sample]:
        """Ask the serving hop the same three times without a fault, on the same way."""
        samples: list[Sample] = []
        for _ in range(DIRECT_SAMPLES):
            plan = direct(progress.plan)
            if not await self._may_ask(plan, injector):
                break
            samples += await self._sample(plan, injector, progress)
        return samples

    async def _ask_on_chat(
        self, hop: str, injector: Injector, progress: _Progress
    ) -> tuple[Sample, ...]:
        """Ask a hop without the drill's endpoint once on the one that every server has."""
        planner = self.planners[progress.plan.injector]
        plan = planner.direct(progress.plan, hop, CHAT)
        if not await self._may_ask(plan, injector):
            return ()
        return tuple(await self._sample(plan, injector, progress))

    async def _may_ask(self, plan: DrillPlan, injector: Injector) -> bool:
        """Tell whether the way, and the guard, let a direct request through."""
        return injector.objection(plan.scenario) is None and await self.may_sample(plan) is None

    async def _sample(
        self, plan: DrillPlan, injector: Injector, progress: _Progress
    ) -> list[Sample]:
        """Ask once; where the hop was not contacted, nothing is known of it."""
        async with self._routed(plan, injector, progress) as route:
            await self._ask(plan, route)
            wire = await route.lease.end()
        own = [record for record in wire if record.group == plan.scenario.group]
        if not own:
            return []
        good = own[-1].outcome in ANSWERED
        return [Sample(plan, self._scrub(route)(own[-1].reply) if good else None)]

    async def _learn_vector_size(self, injector: Injector, progress: _Progress) -> None:
        """Ask the group itself, undisturbed and once, how large its own embeddings are.

        Only where that costs nothing and nobody has said it, and where the fallback's embeddings
        are real ones to compare with.
        """
        plan, planner = progress.plan, self.planners[progress.plan.injector]
        group = plan.scenario.group
        serving = plan.hop(plan.scenario.expected_hop or "")
        wanted = plan.task.expect.vectors and plan.task.expect.vector_size is None
        if not wanted or serving is None or serving.stand_in or not self._is_free(plan):
            return
        if group not in self.vector_sizes:
            alone = planner.direct(plan, group)
            if not await self._may_ask(alone, injector):
                return
            for sample in await self._sample(alone, injector, progress):
                sizes = set(sample.reading.vector_sizes) if sample.reading is not None else set()
                if len(sizes) == 1:
                    self.vector_sizes[group] = sizes.pop()
        size = self.vector_sizes.get(group)
        progress.plan = replace(plan, task=with_vector_size(plan.task, size))

    def _is_free(self, plan: DrillPlan) -> bool:
        own = plan.hop(plan.scenario.group)
        return own is not None and all(deployment.local for deployment in own.deployments)

    async def _after(
        self, plan: DrillPlan, injector: Injector, progress: _Progress
    ) -> ClientReply | None:
        """Send an ordinary request after a fault that strikes late: is the gateway still alive?

        The witness answers it, whoever the hop is: what the gateway shows alone, it shows alone.
        """
        if plan.phase is not Phase.AFTER_FIRST_BYTE or not plan.canary:
            return None
        patient_s = max(plan.deadline_s, UNDISTURBED_WITHIN_S)
        asked = self.planners[plan.injector].undisturbed(plan, patient_s)
        alone = replace(asked, hops=tuple(replace(hop, stand_in=True) for hop in asked.hops))
        if injector.objection(alone.scenario) is not None:
            return None
        async with self._routed(alone, injector, progress) as route:
            reply = await self._ask(alone, route)
            await route.lease.end()
        return self._scrub(route)(reply)

    async def _felt(self, injector: Injector) -> tuple[str, ...]:
        """Find what others felt, where the drilled gateway serves others."""
        if self.collateral is None or not injector.touches_others:
            return ()
        return await self.collateral.after_drill()


def _worst(exchanges: Sequence[Exchange]) -> ClientReply:
    """Choose the reply that stands for a sequence: the first without an answer, else the last."""
    lost = (one.reply for one in exchanges if not has_answer(Observation(one.reply, one.wire)))
    return next(lost, exchanges[-1].reply if exchanges else NOTHING_YET)


def _stopped_by(refusal: Refusal) -> Finding:
    return Finding(
        check=MAY_RUN,
        result=Result.UNKNOWN,
        kind=refusal.kind,
        message=f"The sequence was ended: {refusal.reason}.",
        remedy=refusal.remedy,
    )


def lacks_endpoint(plan: DrillPlan, verdict: Verdict, seen: Observation) -> str | None:
    """Name the hop that failed because it lacks the endpoint, where it may be asked on another.

    Only where that costs nothing, and where clients use another endpoint than chat completions.
    """
    finding = verdict.deciding
    if verdict.kind is not Kind.HOP_FAILED or finding is None or finding.hop is None:
        return None
    hop = plan.hop(finding.hop)
    attempts = at_hop(seen, finding.hop)
    if hop is None or hop.stand_in or not plan.canary or not attempts:
        return None
    translated = plan.scenario.surface in TRANSLATED
    return hop.group if translated and knows_no_such_endpoint(attempts[-1]) else None


def _lag_s(wire: Sequence[WireRecord], asked_at_s: float) -> float | None:
    """Measure how long the gateway took before it contacted a hop."""
    return min((record.started_at_s - asked_at_s for record in wire), default=None)


def _body(plan: DrillPlan, planner: Planner) -> Json:
    surface = planner.catalogue.surfaces[plan.scenario.surface]
    return surface.format.write_ask(
        plan.task.ask, model=plan.scenario.group, stream=plan.scenario.stream
    )


def _not_trusted(verdict: Verdict, plan: DrillPlan, why: str) -> Verdict:
    """Take a pass back: real keys were asked for, and none was used."""
    if verdict.outcome is not Outcome.PASSED:
        return verdict
    finding = Finding(
        check="real_keys",
        result=Result.UNKNOWN,
        kind=Kind.HOP_NOT_FORWARDABLE,
        hop=plan.scenario.expected_hop,
        message=f"No real key was used: {why}.",
        remedy="Let the gateway reach the witness directly, or drill a twin, where every "
        "deployment has an address of its own: --injector twin --litellm-config FILE",
    )
    return conclude((*verdict.findings, finding))


def _stood_still(longest_s: float) -> tuple[str, Finding]:
    """Take a failure back that may be our own."""
    what = f"Understudy itself stood still for {longest_s:.1f} s"
    return what, Finding(
        check=STOOD_STILL,
        result=Result.UNKNOWN,
        message=f"{what}, and so cannot tell what failed.",
        remedy="Nothing, where the machine was suspended. Otherwise give it more processor time.",
    )


def _broken_off(plan: DrillPlan, error: Exception) -> tuple[str, Finding]:
    """Say where a drill broke off: never what the error says, which may quote a key."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    what = f"{type(error).__name__}{where}"
    _LOG.error(
        "the drill %s broke off: %s\n%s",
        plan.scenario.key,
        what,
        "".join(traceback.format_list(frames)),
    )
    return what, Finding(
        check=DEFECT,
        result=Result.UNKNOWN,
        message=f"The drill broke off: {what}.",
        remedy="This is a defect of Understudy: please report it with the lines of the log.",
    )
