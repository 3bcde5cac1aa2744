"""Did the answer run out of tokens before it began?"""

from chaos.judge.check import Check, Finding, Kind, passed, unknown
from chaos.judge.evidence import good_record, spent_in_reasoning
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan

NAME = "token_budget"


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Tell a model that thought too long from one that answers wrongly."""
    if not spent_in_reasoning(seen):
        return passed(NAME, "The tokens allowed were enough.")
    record = good_record(seen)
    return unknown(
        NAME,
        Kind.TOKEN_BUDGET,
        f"All {plan.task.ask.max_tokens or 'allowed'} tokens went into reasoning, none was left "
        "for the answer, and the reply says so.",
        hop=record.group if record is not None else None,
        remedy="Allow more tokens, or less reasoning, for drills of this hop.",
    )


TOKEN_BUDGET = Check(NAME, "The tokens allowed were enough for an answer.", judge)
