"""Did a hop's key stay between gateway and hop? Providers quote keys, and gateways pass it on.

Also with everything down: an error is what is most likely to name a key.
"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan

NAME = "keys_kept"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look for the keys that the hops were shown, in what the client got."""
    whose = "the drill's canary, in place of a hop's key," if plan.canary else "a hop's own key"
    if not seen.reply.disclosed:
        return passed(NAME, "The client's reply contains no key of a hop.")
    return failed(
        NAME,
        Kind.ANSWER_DEGRADED,
        f"The client was shown {whose} in {' and '.join(seen.reply.disclosed)}.",
        where=Where.GATEWAY,
        remedy="Change the keys of these hops if clients may have seen them, and let the gateway "
        "hide upstream errors and debugging headers from its clients.",
    )


KEYS_KEPT = Check(NAME, "No key of a hop is shown to the client, also not in an error.", judge)
