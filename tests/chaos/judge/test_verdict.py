"""Tests of the rule from findings to a verdict."""

from itertools import permutations

import pytest

from chaos.judge.check import Check, Finding, Kind, Result, Where, failed, passed, unknown
from chaos.judge.verdict import Outcome, conclude, judge
from tests.fakes.observations import plan, seen, usual

WELL = passed("a", "Well.")
LATE = failed("b", Kind.TOO_LATE, "Late.", where=Where.GATEWAY)
WRONG = failed("c", Kind.WRONG_HOP, "Wrong.", where=Where.GATEWAY)
UNHIT = unknown("d", Kind.FAULT_NOT_HIT, "Not hit.")
DOUBT = unknown("e", Kind.MODEL_UNRELIABLE, "Perhaps.")


@pytest.mark.parametrize(
    ("findings", "outcome", "kind"),
    [
        ((WELL,), Outcome.PASSED, None),
        ((), Outcome.PASSED, None),
        ((WELL, LATE), Outcome.FAILED, Kind.TOO_LATE),
        ((LATE, WRONG), Outcome.FAILED, Kind.WRONG_HOP),
        ((LATE, DOUBT), Outcome.FAILED, Kind.TOO_LATE),
        ((WELL, DOUBT), Outcome.INCONCLUSIVE, Kind.MODEL_UNRELIABLE),
        ((WRONG, LATE, UNHIT), Outcome.INCONCLUSIVE, Kind.FAULT_NOT_HIT),
        ((UNHIT, DOUBT), Outcome.INCONCLUSIVE, Kind.FAULT_NOT_HIT),
    ],
)
def test_the_first_that_applies_decides_in_any_order(findings, outcome, kind):
    """Unproven before failed before doubtful before passed; checks may come in any order."""
    for shuffled in permutations(findings):
        verdict = conclude(tuple(shuffled))
        assert (verdict.outcome, verdict.kind) == (outcome, kind)
        assert verdict.findings == tuple(shuffled)


def test_an_aborted_drill_says_nothing_else():
    """What was found before the abort is kept, and decides nothing."""
    verdict = conclude((WRONG, UNHIT), aborted=True)
    assert (verdict.outcome, verdict.kind) == (Outcome.ABORTED, None)
    assert verdict.deciding is None


def test_the_deciding_finding_is_the_one_of_the_kind():
    """It brings message and remedy to the verdict; a pass has none."""
    assert conclude((WELL, LATE, WRONG)).deciding is WRONG
    assert conclude((WELL,)).deciding is None


def test_an_unknown_detail_without_a_reason_does_not_stop_a_pass():
    """A check that cannot tell one detail proves nothing wrong."""
    vague = Finding("f", Result.UNKNOWN, "Not looked at.")
    assert conclude((WELL, vague)).outcome is Outcome.PASSED


def test_every_check_is_run_on_the_same_drill():
    """Judging asks each check once, with the plan and what was seen."""
    asked = []

    def look(of, observation):
        asked.append((of, observation))
        return WELL

    of, observation = plan(), usual()
    verdict = judge(of, observation, (Check("a", "A.", look), Check("b", "B.", look)))
    assert asked == [(of, observation)] * 2
    assert verdict.outcome is Outcome.PASSED


def test_a_drill_broken_off_is_aborted():
    """The observation itself says that it was."""
    assert judge(plan(), seen(aborted="halted"), ()).outcome is Outcome.ABORTED
