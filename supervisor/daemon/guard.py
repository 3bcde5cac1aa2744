"""May the daemon drill this now? Asked right before each drill and each direct sample."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from chaos.clock import Clock
from chaos.drill.drill import Refusal
from chaos.drill.spending import AttemptUsed, most_used
from chaos.judge.check import Kind
from chaos.scenario.plan import DrillPlan
from supervisor.campaign.guard import Guard
from supervisor.daemon.incidents import Incidents
from supervisor.settings.limits import Budget
from supervisor.settings.model import Settings
from supervisor.store.records import DayBudget, DayLimits, Halt, Used
from supervisor.store.store import Store

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DaemonGuard:
    """Everything that forbids a drill, the cheapest question first.

    Attributes:
        engines: Looks at queues and loaded models.
        halted: Gives the halt that holds.
    """

    settings: Settings
    store: Store
    clock: Clock
    engines: Guard
    incidents: Incidents
    halted: Callable[[], Halt | None]

    async def may_run(self, plan: DrillPlan) -> Refusal | None:
        """Refuse a drill that may not be now; what it may use is set aside if it may."""
        halt = self.halted()
        if halt is not None:
            return Refusal(Kind.HALTED, halt.reason, "'understudy resume' goes on.")
        incident = self.incidents.of((hop.group for hop in plan.hops), self.clock.now())
        if incident is not None:
            return Refusal(
                Kind.COOLDOWN_OPEN,
                f"a real incident: {incident}",
                "Drills of this chain go on when its own traffic has been well for a while.",
            )
        return (
            await self._share(plan) or await self.engines.may_run(plan) or await self._budget(plan)
        )

    async def _share(self, plan: DrillPlan) -> Refusal | None:
        """Leave a local engine to its users for all but a small share of the day."""
        hop = plan.hop(plan.scenario.expected_hop or "")
        if hop is None or hop.stand_in or not all(d.local for d in hop.deployments):
            return None
        share = self.settings.schedule.engine_share
        most_s = DAY.total_seconds() * share
        took_s = await self.store.seconds_at(hop.group, self.clock.now() - DAY)
        if took_s < most_s:
            return None
        return Refusal(
            Kind.OVER_BUDGET,
            f"drills have taken {took_s:.0f} s of the last day at {hop.group!r}, and may take "
            f"{most_s:.0f} s ({share:.0%})",
            "Raise schedule.engine_share, or rehearse less: longer targets, fewer shapes.",
        )

    async def _budget(self, plan: DrillPlan) -> Refusal | None:
        most = by_provider(most_used(plan))
        if not most:
            return None
        refusal = await self.store.reserve(plan.id, most, limits_of(self.settings))
        if refusal is None:
            return None
        return Refusal(
            Kind.OVER_BUDGET,
            refusal,
            "Raise the budget in the configuration, or wait for tomorrow.",
        )


def by_provider(attempts: Iterable[AttemptUsed]) -> dict[str, Used]:
    """Add up what requests to real upstreams take, by provider."""
    used: dict[str, Used] = {}
    for attempt in attempts:
        before = used.get(attempt.provider, Used())
        used[attempt.provider] = Used(
            before.requests + 1,
            before.tokens + attempt.tokens,
            before.cost_usd + attempt.cost_usd,
        )
    return used


def limits_of(settings: Settings) -> DayLimits:
    """Say what a day's drills may use up."""
    budget = settings.budget
    return DayLimits(
        _limit(budget), {provider: _limit(one) for provider, one in budget.providers.items()}
    )


def _limit(budget: Budget) -> DayBudget:
    return DayBudget(budget.requests, budget.tokens, budget.usd)
