"""What is asked after a drill's own request, or before it, to know what its outcome means."""

from dataclasses import dataclass, replace

from chaos.drill.drill import UNDISTURBED_WITHIN_S, MayRun
from chaos.drill.injector import Injector
from chaos.drill.requests.asking import Asking, Progress
from chaos.faults.fault import Phase
from chaos.judge.check import Kind
from chaos.judge.evidence import ANSWERED, at_hop
from chaos.judge.hop_reply import TRANSLATED, knows_no_such_endpoint
from chaos.judge.observation import ClientReply, Observation, Sample
from chaos.judge.verdict import Verdict
from chaos.scenario.plan import DrillPlan, Planner, with_vector_size

CHAT = "chat_completions"

DIRECT_SAMPLES = 3
"""How often the serving hop is asked directly when its own reply missed something."""


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Asks what a drill leaves open.

    Attributes:
        may_sample: The guard: asked right before each request.
        vector_sizes: Of the groups' own embeddings, as they were measured; kept for a campaign.
    """

    asking: Asking
    may_sample: MayRun
    vector_sizes: dict[str, int]

    def _planner(self, plan: DrillPlan) -> Planner:
        return self.asking.planners[plan.injector]

    async def directly(self, injector: Injector, progress: Progress) -> list[Sample]:
        """Ask the serving hop the same three times without a fault, on the same way."""
        samples: list[Sample] = []
        for _ in range(DIRECT_SAMPLES):
            plan = self._planner(progress.plan).direct(progress.plan)
            if not await self.may_ask(plan, injector):
                break
            samples += await self._sample(plan, injector, progress)
        return samples

    async def on_chat(self, hop: str, injector: Injector, progress: Progress) -> tuple[Sample, ...]:
        """Ask a hop without the drill's endpoint once on the one that every server has."""
        plan = self._planner(progress.plan).direct(progress.plan, hop, CHAT)
        if not await self.may_ask(plan, injector):
            return ()
        return tuple(await self._sample(plan, injector, progress))

    async def may_ask(self, plan: DrillPlan, injector: Injector) -> bool:
        """Tell whether the way, and the guard, let a direct request through."""
        return injector.objection(plan.scenario) is None and await self.may_sample(plan) is None

    async def _sample(
        self, plan: DrillPlan, injector: Injector, progress: Progress
    ) -> list[Sample]:
        """Ask once; where the hop was not contacted, nothing is known of it."""
        async with self.asking.routed(plan, injector, progress) as route:
            await self.asking.ask(plan, route)
            wire = await route.lease.end()
        own = [record for record in wire if record.group == plan.scenario.group]
        if not own:
            return []
        good = own[-1].outcome in ANSWERED
        return [Sample(plan, self.asking.scrub(route)(own[-1].reply) if good else None)]

    async def learn_vector_size(self, injector: Injector, progress: Progress) -> None:
        """Ask the group itself, undisturbed and once, how large its own embeddings are.

        Only where that costs nothing and nobody has said it, and where the fallback's embeddings
        are real ones to compare with.
        """
        plan = progress.plan
        group = plan.scenario.group
        serving = plan.hop(plan.scenario.expected_hop or "")
        wanted = plan.task.expect.vectors and plan.task.expect.vector_size is None
        if not wanted or serving is None or serving.stand_in or not self._is_free(plan):
            return
        if group not in self.vector_sizes:
            alone = self._planner(plan).direct(plan, group)
            if not await self.may_ask(alone, injector):
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

    async def after(
        self, plan: DrillPlan, injector: Injector, progress: Progress
    ) -> ClientReply | None:
        """Send an ordinary request after a fault that strikes late: is the gateway still alive?

        The witness answers it, whoever the hop is: what the gateway shows alone, it shows alone.
        """
        if plan.phase is not Phase.AFTER_FIRST_BYTE or not plan.canary:
            return None
        patient_s = max(plan.deadline_s, UNDISTURBED_WITHIN_S)
        asked = self._planner(plan).undisturbed(plan, patient_s)
        alone = replace(asked, hops=tuple(replace(hop, stand_in=True) for hop in asked.hops))
        if injector.objection(alone.scenario) is not None:
            return None
        async with self.asking.routed(alone, injector, progress) as route:
            reply = await self.asking.ask(alone, route)
            await route.lease.end()
        return self.asking.scrub(route)(reply)


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
