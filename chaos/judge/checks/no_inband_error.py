"""Is there an error inside a 2xx where the scenario allows none?"""

from chaos.faults.fault import Phase
from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import error_allowed, quote, struck_late
from chaos.judge.observation import Observation
from chaos.scenario.expectation import Expected
from chaos.scenario.plan import DrillPlan

NAME = "no_inband_error"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look for an error in the body or the stream of a 2xx."""
    error = seen.reply.reading.error
    if not seen.reply.ok or error is None:
        return passed(NAME, "No error is hidden in a 2xx.")
    # Only a stream whose head is out has no other way to tell of a failure. A refusal has: it is
    # decided before.
    late = struck_late(plan, seen) or plan.expect is not Expected.REFUSED
    streamed = plan.scenario.stream or plan.phase is Phase.AFTER_FIRST_BYTE
    if error_allowed(plan, seen) and streamed and late:
        return passed(NAME, f"One error in the stream, as allowed here: {quote(error.message)}.")
    where = "in the stream" if plan.scenario.stream else "in the body"
    return failed(
        NAME,
        Kind.INBAND_ERROR,
        f"Status {seen.reply.status}, and {where} the error {quote(error.message)}.",
        where=Where.GATEWAY,
        remedy="The gateway counts this as a success and shows it nowhere; clients have to look "
        "for errors inside good replies.",
    )


NO_INBAND_ERROR = Check(NAME, "No error hides in a 2xx where none is allowed.", judge)
