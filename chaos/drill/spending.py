"""What drills may cost and have cost: reserved before sending, settled from the wire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chaos.drill.drill import Drill, Refusal
from chaos.gateway.prices import most_tokens, price_usd
from chaos.judge.check import Kind
from chaos.scenario.plan import DrillPlan, HopRole, PlannedHop
from chaos.witness.wire_record import WireRecord


class Spending:
    """The budget of a campaign, and what is used of it.

    Attributes:
        requests: Sent to the gateway.
        tokens: Of attempts that reached a real upstream.
    """

    def __init__(self, budget_usd: float = 0.0) -> None:
        self.budget_usd = budget_usd
        self.requests = 0
        self.tokens = 0
        self.cost_usd = 0.0
        self._reserved_usd: dict[str, float] = {}

    @property
    def used(self) -> dict[str, float]:
        """Say what is used, by the names of a report's summary."""
        return {name: getattr(self, name) for name in ("requests", "tokens", "cost_usd")}

    def take_over(self, used: Mapping[str, float]) -> None:
        """Take what another process has counted in the place of what was counted here."""
        self.requests = int(used["requests"])
        self.tokens = int(used["tokens"])
        self.cost_usd = used["cost_usd"]

    def reserve(self, plan: DrillPlan) -> Refusal | None:
        """Put aside what *plan* may cost at most, or say why that cannot be."""
        serving = next((hop for hop in plan.hops if hop.role is HopRole.SERVE), None)
        if plan.canary or serving is None:
            return None
        cost_usd = _most_usd(plan, serving)
        if cost_usd is None:
            return Refusal(
                Kind.OVER_BUDGET,
                f"there is no price for a request to {serving.group!r}",
                "Give its deployment a price in LiteLLM's model_info, or drill without "
                "--real-keys.",
            )
        taken_usd = self.cost_usd + sum(self._reserved_usd.values())
        if taken_usd + cost_usd <= self.budget_usd:
            self._reserved_usd[plan.id] = cost_usd
            return None
        return Refusal(
            Kind.OVER_BUDGET,
            f"a drill of {serving.group!r} may cost {cost_usd:.4f} USD, and "
            f"{taken_usd:.4f} of {self.budget_usd:.4f} USD are spent or reserved",
            "Raise --budget-usd, or drill without --real-keys.",
        )

    def settle(self, drill: Drill) -> None:
        """Give back what was reserved for *drill*, and count what it really took."""
        self._reserved_usd.pop(drill.plan.id, None)
        self.requests += drill.requests
        for attempt in attempts_used(drill):
            self.tokens += attempt.tokens
            self.cost_usd += attempt.cost_usd


@dataclass(frozen=True, slots=True)
class AttemptUsed:
    """What one request to a real upstream took.

    Attributes:
        provider: LiteLLM's prefix of it.
    """

    provider: str
    tokens: int
    cost_usd: float


def attempts_used(drill: Drill) -> Iterator[AttemptUsed]:
    """List what each request of *drill* took that reached a real upstream."""
    for plan, record in drill.wire:
        hop = plan.hop(record.group or "")
        if hop is None or not record.forwarded:
            continue
        own = [d for d in hop.deployments if d.id == record.deployment] or list(hop.deployments)
        tokens_in, tokens_out = _used(plan, record, local=all(d.local for d in own))
        cost_usd = price_usd(own, tokens_in, tokens_out) or 0.0
        yield AttemptUsed(own[0].provider if own else "", tokens_in + tokens_out, cost_usd)


def most_used(plan: DrillPlan) -> tuple[AttemptUsed, ...]:
    """List what *plan* may take at most at real upstreams; a price that is unknown is 0."""
    serving = next((hop for hop in plan.hops if hop.role is HopRole.SERVE), None)
    if serving is None or serving.stand_in or not serving.deployments:
        return ()
    tokens = most_tokens(plan.task.ask)
    cost_usd = price_usd(serving.deployments, *tokens) or 0.0
    provider = serving.deployments[0].provider
    return (AttemptUsed(provider, sum(tokens), cost_usd),) * serving.attempts_allowed


def _most_usd(plan: DrillPlan, serving: PlannedHop) -> float | None:
    """Prompt and longest answer, at the dearest deployment, as often as it may be tried."""
    once_usd = price_usd(serving.deployments, *most_tokens(plan.task.ask))
    return None if once_usd is None else once_usd * serving.attempts_allowed


def _used(plan: DrillPlan, record: WireRecord, *, local: bool) -> tuple[int, int]:
    """Count the tokens of an attempt; what a paid one does not tell counts as the most.

    A provider charges for a reply that broke off, or that nobody could read, all the same; for
    an error it does not.
    """
    reply = record.reply
    usage = reply.usage if reply is not None else None
    told = (usage.input_tokens or 0, usage.output_tokens or 0) if usage is not None else (0, 0)
    refused = record.status is not None and not 200 <= record.status < 300
    if local or refused or (reply is not None and reply.complete and usage is not None):
        return told
    most = most_tokens(plan.task.ask)
    return max(told[0], most[0]), max(told[1], most[1])
