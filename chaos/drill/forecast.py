"""How much a campaign is, before it: drills, time, and how many reach a local engine."""

from collections.abc import Sequence

from chaos.naming import some_of
from chaos.scenario.plan import DrillPlan, HopRole

FROM = 50
"""Drills from which on it is worth a line."""

HANGING = frozenset({"hang", "keepalive_only", "stream_stall"})
"""Faults of which a drill takes as long as its deadline, where the gateway has no shorter one."""


def forecast(plans: Sequence[DrillPlan], *, reply_s: float, concurrency: int) -> str:
    """Say it in one line; *reply_s* is what the gateway takes for an undisturbed reply."""
    seconds = sum(
        plan.most_s if plan.course or plan.scenario.fault.name in HANGING else reply_s
        for plan in plans
    )
    minutes = max(round(seconds / max(concurrency, 1) / 60), 1)
    line = (
        f"{len(plans)} drills, about {minutes} min at this gateway's "
        f"{max(reply_s, 0.1):.1f} s a reply"
    )
    engines = [
        hop.group
        for plan in plans
        for hop in plan.hops
        if hop.role is HopRole.SERVE and not hop.stand_in and any(d.local for d in hop.deployments)
    ]
    return f"{line}; {len(engines)} reach an engine ({some_of(engines)})" if engines else line
