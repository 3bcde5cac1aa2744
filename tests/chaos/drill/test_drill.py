"""The record of a drill that was refused."""

from datetime import UTC, datetime

from chaos.drill.drill import Refusal, refused
from chaos.judge.check import Kind, Result
from chaos.judge.verdict import Outcome
from tests.fakes.drilling import GATEWAY, scenario
from tests.fakes.plans import plan_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_refused_drill_is_inconclusive_and_has_sent_nothing():
    """It keeps the plan, so that the report shows what was not drilled."""
    plan = plan_for(GATEWAY, scenario())
    drill = refused(plan, Refusal(Kind.OVER_BUDGET, "too dear", "pay more"), NOW)
    assert (drill.plan, drill.requests, drill.started_at) == (plan, 0, NOW)
    assert (drill.verdict.outcome, drill.verdict.kind) == (Outcome.INCONCLUSIVE, Kind.OVER_BUDGET)
    (finding,) = drill.verdict.findings
    assert (finding.result, finding.message, finding.remedy) == (
        Result.UNKNOWN,
        "too dear",
        "pay more",
    )
