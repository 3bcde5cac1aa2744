"""One run of a plan: lease, ask, observe, judge. The lease ends whatever happens."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from chaos.clock import Clock
from chaos.drill.collateral import CollateralWatch
from chaos.drill.drill import (
    DEFECT,
    MAY_RUN,
    NOTHING_YET,
    STOOD_STILL,
    UNDISTURBED_WITHIN_S,
    Drill,
    MayRun,
    Refusal,
    always,
)
from chaos.drill.injector import Injector
from chaos.drill.pace import Pace, Undisturbed
from chaos.drill.requests.asking import Asking, Progress
from chaos.drill.requests.follow_ups import FollowUps, lacks_endpoint
from chaos.drill.requests.sequence import SequenceRun
from chaos.drill.requests.whole_group import WholeGroup
from chaos.drill.standstill import Standstill
from chaos.judge.check import Check, Finding, Kind, Result
from chaos.judge.evidence import has_answer
from chaos.judge.observation import ClientReply, Exchange, Load, Observation
from chaos.judge.sequence import judge_sequence
from chaos.judge.verdict import Outcome, Verdict, conclude, judge
from chaos.scenario.plan import Course, DrillPlan, Planner
from chaos.witness.wire_record import WireRecord

_LOG = logging.getLogger(__name__)

MOST_STILL_S = 2.0
"""After a longer standstill of this process a failure is not believed."""


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

    @property
    def _asking(self) -> Asking:
        return Asking(self.session, self.planners, self.secrets)

    @property
    def _follow_ups(self) -> FollowUps:
        return FollowUps(self._asking, self.may_sample, self.vector_sizes)

    async def drill(self, plan: DrillPlan) -> Drill:
        """Carry *plan* out.

        Whoever cancels this gets a drill too, aborted, with what it had sent by then: what was
        sent costs what it costs. So does an error of our own, because the other drills of the
        campaign are not its fault. And so does a failure while this process itself stood still.
        """
        progress = Progress(plan, self.clock.now())
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

    async def _drill(self, plan: DrillPlan, progress: Progress) -> Drill:
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
        further = self._follow_ups
        await further.learn_vector_size(injector, progress)
        verdict, seen = await self._run(injector, progress)
        # What costs money is asked once: no more was reserved for it.
        if verdict.kind is Kind.TOKEN_BUDGET and plan.canary:
            progress.plan = planner.retry(plan)
            verdict, seen = await self._run(injector, progress)
        if verdict.kind is Kind.MODEL_UNRELIABLE and plan.canary:
            samples = await further.directly(injector, progress)
            seen = replace(seen, direct=tuple(samples))
            verdict = judge(progress.plan, seen, self.checks)
        without = lacks_endpoint(progress.plan, verdict, seen)
        if without is not None:
            seen = replace(seen, on_chat=await further.on_chat(without, injector, progress))
            verdict = judge(progress.plan, seen, self.checks)
        if verdict.outcome is Outcome.PASSED:
            verdict, seen = await self._until_each_has_served(injector, progress, verdict, seen)
        return progress.ended(verdict, seen)

    async def _until_each_has_served(
        self, injector: Injector, progress: Progress, verdict: Verdict, seen: Observation
    ) -> tuple[Verdict, Observation]:
        """Run the plan again until every deployment of the serving group has shown itself."""
        group = WholeGroup.of(progress.plan)
        if group is None:
            return verdict, seen
        group.note(seen.wire)
        while group.goes_on:
            plan = self.planners[progress.plan.injector].again(progress.plan)
            if not await self._follow_ups.may_ask(plan, injector):
                break
            progress.plan = plan
            verdict, seen = await self._run(injector, progress)
            group.note(seen.wire)
            if verdict.outcome is not Outcome.PASSED:
                return verdict, seen
        return conclude((*verdict.findings, group.finding())), seen

    async def _run(self, injector: Injector, progress: Progress) -> tuple[Verdict, Observation]:
        plan = progress.plan
        async with self._asking.routed(plan, injector, progress) as route:
            asked_at_s = time.monotonic()
            reply = await self._asking.ask(plan, route)
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
            after=await self._follow_ups.after(plan, injector, progress),
            collateral=await self._felt(injector),
        )
        seen = self._asking.scrub(route)(seen)
        injector.learn(plan, seen)
        return judge(plan, seen, self.checks), seen

    async def _sequence(self, injector: Injector, progress: Progress, course: Course) -> Drill:
        """Send request after request over the fault's end, and judge them all."""
        plan = progress.plan
        async with self._asking.routed(plan, injector, progress) as route:

            async def ask_once() -> ClientReply:
                # The route has counted the first already.
                progress.requests += bool(run.asked)
                return await self._asking.ask(plan, route)

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
        seen = self._asking.scrub(route)(seen)
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
        if not await self._follow_ups.may_ask(alone, injector):
            return None
        progress = Progress(alone, self.clock.now())
        async with self._asking.routed(alone, injector, progress) as route:
            asked_at_s = time.monotonic()
            reply = await self._asking.ask(alone, route)
            wire = await route.lease.end()
        measured = Undisturbed(reply.total_s, _lag_s(wire, asked_at_s))
        return measured, progress.aborted("it was no drill")

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


def _lag_s(wire: Sequence[WireRecord], asked_at_s: float) -> float | None:
    """Measure how long the gateway took before it contacted a hop."""
    return min((record.started_at_s - asked_at_s for record in wire), default=None)


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
