"""Where the client got no answer: was that told honestly, and was it true?"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import (
    claims_success,
    error_allowed,
    good_record,
    honest_error,
    quote,
    refuses,
    told,
)
from chaos.judge.observation import Observation
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan

NAME = "error_told"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look at the form of an error, and whether a hop had answered all the same."""
    reply = seen.reply
    if claims_success(seen):
        return passed(NAME, "The client got no error.")
    if reply.timed_out:
        return passed(NAME, "The client gave up before it got a reply.")
    record = good_record(seen)
    if record is not None and record.reply is not None and record.reply.error is not None:
        record = None  # It failed inside its own 2xx: hop_held says so.
    if not error_allowed(plan, seen) and not reply.ok and record is not None:
        return failed(
            NAME,
            Kind.ANSWER_DEGRADED,
            f"{record.group} answered, and yet the client got {told(seen)}.",
            where=Where.GATEWAY,
            hop=record.group,
            remedy="The gateway cannot make a reply of this hop's answer: compare the hop's own "
            "reply with what this endpoint needs.",
        )
    if honest_error(seen) and plan.expect is Expected.REFUSED and not refuses(plan, seen):
        return failed(
            NAME,
            Kind.ANSWER_DEGRADED,
            f"The settings expect a refusal, which is a 4xx, and the client got {told(seen)}.",
            where=Where.GATEWAY,
            remedy="Clients retry what is no 4xx. Where the fault itself is a 5xx, expect an error "
            "(outcome: error) of its scenarios.",
        )
    if honest_error(seen):
        return passed(NAME, f"One error in the endpoint's own format: {told(seen)}.")
    if not error_allowed(plan, seen) and not reply.ok:
        return passed(NAME, f"The client got {told(seen)}; the hops' findings say why.")
    error = reply.reading.error
    form = (
        f"the error {quote(error.message)} has not the form that the endpoint prescribes"
        if error is not None
        else "no error in the endpoint's own format"
    )
    return failed(
        NAME,
        Kind.ANSWER_DEGRADED,
        f"The client got {told(seen)}: {form}.",
        where=Where.GATEWAY,
        remedy="Clients cannot read such a failure, and may retry it or take it for an answer.",
    )


ERROR_TOLD = Check(NAME, "A failure reaches the client as one well-formed error.", judge)
