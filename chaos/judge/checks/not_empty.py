"""Is a 2xx that claims to be an answer one at all?"""

from chaos.faults.fault import Phase
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import (
    ANSWERED,
    claims_success,
    good_record,
    quote,
    source,
    spent_in_reasoning,
)
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan

NAME = "not_empty"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look for something that a caller would use."""
    if not claims_success(seen):
        return passed(NAME, "The reply does not claim to be an answer.")
    if seen.reply.reading.has_output:
        return _of_a_false_2xx(plan, seen)
    if spent_in_reasoning(seen):
        return passed(NAME, "All tokens went into reasoning, and the reply says so.")
    return _empty(seen)


def _empty(seen: Observation) -> Finding:
    reading = seen.reply.reading
    finish = reading.finish.value if reading.finish else "nothing"
    refusal = f", refusal {quote(reading.refusal)}" if reading.refusal else ""
    record = good_record(seen)
    own = record.reply if record is not None else None
    by_hop = own is not None and not own.has_output
    return failed(
        NAME,
        Kind.EMPTY_REPLY,
        f"Status {seen.reply.status} with neither content nor tool call "
        f"(finish: {finish}{refusal}), presented as complete.",
        where=Where.HOP if by_hop else Where.GATEWAY,
        hop=record.group if by_hop and record is not None else None,
        remedy="The hop's own reply was empty: ask it directly with the same request."
        if by_hop
        else "The gateway takes an empty 2xx for success; nothing in its metrics shows this.",
    )


def _of_a_false_2xx(plan: DrillPlan, seen: Observation) -> Finding:
    """Catch a refusal or an error page of a hop made to fail, handed on as the answer."""
    record = source(seen)
    if (
        plan.phase is Phase.IN_2XX
        and record is not None
        and record.outcome not in ANSWERED
        and record.group not in plan.may_serve
    ):
        return failed(
            NAME,
            Kind.EMPTY_REPLY,
            f"The 2xx holds no answer, only what {record.group} said in place of one: "
            f"{quote(seen.reply.reading.text)}.",
            where=Where.GATEWAY,
            hop=record.group,
            remedy="The gateway takes any 2xx for success, so it never tried its fallbacks.",
        )
    return passed(NAME, "The reply has content.")


NOT_EMPTY = Check(NAME, "A 2xx holds content or a tool call.", judge)
