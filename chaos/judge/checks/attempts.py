"""Did the gateway knock at a hop more often than its own retry settings explain?

Late attempts, of a gateway that goes on after the drill has ended, are not counted: they are
no part of answering the client, and the report shows them apart. A connection that broke before
a single byte may be tried once more by the gateway's own HTTP client, below any retry setting:
such an attempt and its repetition count as one. One that the gateway gave up by itself (a hang) is
an attempt like any other.
"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import at_hop
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan

NAME = "attempts"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Count the live attempts at each hop."""
    for hop in plan.hops:
        records = at_hop(seen, hop.group)
        broken = sum(record.status is None and not record.caller_left for record in records)
        if len(records) - broken // 2 > hop.attempts_allowed:
            return failed(
                NAME,
                Kind.RETRY_STORM,
                f"{hop.group} was tried {len(records)} times; one try and the gateway's own "
                f"retries make {hop.attempts_allowed}.",
                where=Where.GATEWAY,
                hop=hop.group,
                remedy="Look for retries that multiply: of the gateway, of its client library, "
                "and of a chain that names a hop twice.",
            )
    return passed(NAME, f"{len(seen.wire)} upstream attempts in all, none beyond what is allowed.")


ATTEMPTS = Check(NAME, "No hop was tried more often than the gateway's settings explain.", judge)
