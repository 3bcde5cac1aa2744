"""Did other traffic feel the drill?"""

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan

NAME = "untouched"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Report what changed for others."""
    del plan
    if not seen.collateral:
        return passed(NAME, "Nothing changed for other traffic.")
    more = len(seen.collateral) - 1
    others = f" (and {more} more)" if more else ""
    return failed(
        NAME,
        Kind.COLLATERAL,
        f"Other traffic felt the drill: {seen.collateral[0].rstrip('.')}{others}.",
        where=Where.GATEWAY,
        remedy="Stop drilling this gateway, wait out its cooldown, and drill a twin "
        "(--injector twin).",
    )


UNTOUCHED = Check(NAME, "Other traffic did not feel the drill.", judge)
