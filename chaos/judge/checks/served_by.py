"""Did the answer come from a hop that the scenario allows, as the wire tells it?"""

from chaos.faults.fault import Phase
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed, unknown
from chaos.judge.evidence import ANSWERED, at_hop, has_answer, overrun, source
from chaos.judge.observation import Observation
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan, HopRole
from chaos.witness.wire_record import WireRecord

NAME = "served_by"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Find whose output the client got."""
    if not has_answer(seen):
        return passed(NAME, "The client got no answer, so no hop gave it.")
    record = source(seen)
    allowed = ", ".join(sorted(plan.may_serve)) or "no hop at all"
    if record is None:
        return _wrong("an upstream that the witness never saw", allowed, None)
    if record.outcome not in ANSWERED:
        return _through_its_fault(plan, seen, record)
    if record.group not in plan.may_serve:
        if _recovered(plan, record):
            return unknown(
                NAME,
                Kind.FAULT_NOT_HIT,
                f"{record.group} itself answered at another attempt, so no refusal was due.",
                hop=record.group,
                remedy="Expect a refusal of faults that last.",
            )
        if _stepped_in(plan, seen, record.group):
            return passed(NAME, f"{record.group} stepped in for a hop that failed by itself.")
        if plan.expect is not Expected.SERVED:
            return _not_refused(plan, record.group)
        return _wrong(record.group or "an unknown hop", allowed, record.group)
    return passed(NAME, f"{record.group} served, as attempt {record.ordinal} on the wire shows.")


def _through_its_fault(plan: DrillPlan, seen: Observation, record: WireRecord) -> Finding:
    """Judge output of a hop that was made to fail; whether it is an answer, others say."""
    harmless = plan.phase is Phase.BEFORE_FIRST_BYTE and record.group not in plan.may_serve
    if harmless and overrun(plan, seen) is None:
        return unknown(
            NAME,
            Kind.FAULT_NOT_HIT,
            f"{record.group} answered in time in spite of {record.fault}, so no fallback was due.",
            hop=record.group,
            remedy="Set the deadline to what your users wait for, and drill again.",
        )
    return passed(NAME, f"The output came from {record.group}, through its fault.")


def _recovered(plan: DrillPlan, record: WireRecord) -> bool:
    """Tell whether the primary answered where no answer is expected: its fault had passed.

    A later deployment of the same group that steps in for it is a fallback like any.
    """
    primary = plan.hops[0]
    return (
        plan.expect is not Expected.SERVED and record.group == primary.group and not primary.spared
    )


def _not_refused(plan: DrillPlan, group: str | None) -> Finding:
    why = f": {plan.expectation.reason}" if plan.expectation.reason else ""
    return failed(
        NAME,
        Kind.WRONG_HOP,
        f"{group or 'An unknown hop'} answered, where the settings expect "
        f"{'a refusal' if plan.expect is Expected.REFUSED else 'an error'}{why}.",
        where=Where.GATEWAY,
        hop=group,
        remedy="Keep the gateway from falling back here: take the hop out of the chain, or let "
        "LiteLLM ask whether the key may use it (general_settings: "
        "{enforce_fallback_model_access: true}). If the answer is right, change the expectation.",
    )


def _stepped_in(plan: DrillPlan, seen: Observation, group: str | None) -> bool:
    """Tell whether *group* served only because the hop before it was tried and failed.

    That failure is for ``hop_held`` to judge: it may be none (a canary key turned away).
    """
    spare = next((hop for hop in plan.hops if hop.group == group), None)
    expected = plan.scenario.expected_hop
    return (
        plan.expect is Expected.SERVED
        and spare is not None
        and spare.role is HopRole.SPARE
        and expected is not None
        and bool(at_hop(seen, expected))
    )


def _wrong(served: str, allowed: str, hop: str | None) -> Finding:
    return failed(
        NAME,
        Kind.WRONG_HOP,
        f"The answer came from {served}; this scenario allows {allowed}.",
        where=Where.GATEWAY,
        hop=hop,
        remedy="Compare the fallbacks that the running gateway has loaded with those you meant: "
        "another list, an alias or a fallback in the request took over.",
    )


SERVED_BY = Check(NAME, "The answer came from a hop that the scenario allows.", judge)
