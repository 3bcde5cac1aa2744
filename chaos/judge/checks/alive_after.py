"""After a fault that strikes late: does the gateway still answer an ordinary request?

Source: github.com/BerriAI/litellm/issues/26015: an error in the middle of a stream kept the proxy's
process busy, and nobody was served any more.
"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import has_answer, told
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan

NAME = "alive_after"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look at what the ordinary request got that followed."""
    after = seen.after
    if after is None:
        return passed(NAME, "No ordinary request was sent after the drill's own.")
    alone = Observation(after)
    # A gateway that turns a client away (its key's limit, say) is alive.
    refused = after.status is not None and 400 <= after.status < 500 and not after.timed_out
    if has_answer(alone) or refused:
        return passed(NAME, "An ordinary request after the fault was answered.")
    return failed(
        NAME,
        Kind.COLLATERAL,
        f"After {plan.scenario.fault} an ordinary request to {plan.scenario.group} got "
        f"{told(alone)}.",
        where=Where.GATEWAY,
        hop=plan.scenario.group,
        remedy="Look at the gateway's process and log: a reply that broke in its middle may keep "
        "it busy. Restart it, and do not drill this fault there again before it is mended.",
    )


ALIVE_AFTER = Check(NAME, "After a late fault an ordinary request is answered.", judge)
