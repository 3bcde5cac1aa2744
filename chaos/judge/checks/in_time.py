"""Did the reply come before its deadlines?"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import at_hop, good_record, overrun, times
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan
from chaos.witness.wire_record import AttemptOutcome, WireRecord

NAME = "in_time"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Compare the client's own clock with the plan's deadlines."""
    late = overrun(plan, seen)
    if late is not None:
        return _busy(plan, seen, late) or _late(plan, seen, late)
    total_s = seen.reply.total_s
    took = f"ended after {total_s:.1f} s" if total_s is not None else "did not run past a deadline"
    return passed(NAME, f"The reply {took}.")


def _busy(plan: DrillPlan, seen: Observation, late: str) -> Finding | None:
    """Tell a gateway that is slow by itself from one that its fallbacks make slow."""
    lag_s, usual_s = seen.load.lag_s, seen.load.undisturbed_s
    if usual_s is not None and usual_s > plan.deadline_s:
        why = f"undisturbed it takes {usual_s:.1f} s for a reply"
    elif lag_s is not None and lag_s > plan.deadline_s / 2:
        why = f"it took {lag_s:.1f} s before it contacted the first hop"
    else:
        return None
    return unknown(
        NAME,
        Kind.GATEWAY_BUSY,
        f"The gateway itself is slower than the deadline allows: {why}, and so came {late}.",
        remedy="Raise --deadline, lower --concurrency, or drill at a quieter time.",
    )


def _late(plan: DrillPlan, seen: Observation, what: str) -> Finding:
    waited = [
        f"{hop.group} was tried {times(len(attempts))}"
        for hop in plan.hops
        if (attempts := at_hop(seen, hop.group))
    ]
    slow = _slow_hop(plan, seen)
    spent = f" ({slow} itself took most of it)" if slow else ""
    remedy = (
        f"Look at the load and the speed of {slow}, or ask for less."
        if slow
        else "Give the gateway a timeout, a stream timeout and few retries, so that a hop's "
        "silence or a long retry-after does not use up the time of the whole chain."
    )
    return failed(
        NAME,
        Kind.TOO_LATE,
        f"Too late: {what}{spent}; {', '.join(waited) or 'nothing crossed the wire'}.",
        where=Where.HOP if slow else Where.GATEWAY,
        hop=slow,
        remedy=remedy,
    )


def _slow_hop(plan: DrillPlan, seen: Observation) -> str | None:
    """Name the willing hop that used more than half of the time by itself."""
    took_s = seen.reply.total_s if seen.reply.total_s is not None else plan.deadline_s
    record = good_record(seen)
    if record is not None and record.ended_at_s - record.started_at_s > took_s / 2:
        return record.group
    for group in plan.may_serve:
        attempts = at_hop(seen, group)
        if attempts and _hanging(attempts[-1]):
            return group
    return None


def _hanging(record: WireRecord) -> bool:
    """Tell whether a request was passed on and its answer had not ended when the drill did."""
    unended = record.status is None or record.status < 300
    return record.outcome is AttemptOutcome.REFUSED and unended


IN_TIME = Check(NAME, "The reply and its first token came before their deadlines.", judge)
