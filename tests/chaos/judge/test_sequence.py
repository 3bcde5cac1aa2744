"""What many requests together come to."""

from dataclasses import replace

import pytest

from chaos.faults.fault import FaultName
from chaos.judge.check import Kind
from chaos.judge.checks import CHECKS
from chaos.judge.observation import Exchange, Observation, Stage
from chaos.judge.sequence import as_it_was, figures, judge_sequence, summary
from chaos.judge.verdict import Outcome
from chaos.scenario.plan import Course, HopRole
from chaos.witness.wire_record import AttemptOutcome
from tests.fakes.observations import faulted, got, plan, record, refused, served

PLAN = replace(plan(fault="outage"), course=Course(10.0, 2.0, 30.0))


def hit(group="claude"):
    """Make an attempt that the outage answered."""
    return faulted(group, fault="outage", status=503)


def primary(**changes):
    """Make an answer of the primary, by a stand-in."""
    return replace(served("claude", **changes), outcome=AttemptOutcome.STOOD_IN)


def exchange(stage, at_s, *wire, reply=None):
    """Make one request and its attempts."""
    wire = tuple(replace(one, ordinal=n, started_at_s=at_s) for n, one in enumerate(wire, 1))
    return Exchange(stage, at_s, got() if reply is None else reply, wire)


BEFORE = exchange(Stage.BEFORE, 0.0, primary())
HIT = exchange(Stage.DOWN, 2.0, hit(), served(), reply=got(total_s=3.5))
COOLED = exchange(Stage.DOWN, 4.0, served())
STILL = exchange(Stage.AFTER, 12.5, served())
BACK = exchange(Stage.AFTER, 14.5, primary())


def sequence(*exchanges, well_at_s=12.0):
    """Observe a sequence whose outage began at 2 s."""
    wire = tuple(one for each in exchanges for one in each.wire)
    return Observation(
        exchanges[-1].reply, wire, exchanges=exchanges, down_at_s=2.0, well_at_s=well_at_s
    )


def came(*exchanges, of=PLAN):
    """Judge, and tell outcome and kind."""
    verdict = judge_sequence(of, sequence(*exchanges), CHECKS)
    return verdict.outcome, verdict.kind


GOOD = (BEFORE, HIT, COOLED, STILL, BACK)


def test_a_hop_that_is_left_out_of_use_is_no_failure():
    """In the outage and after it the fallback may serve without the primary's having been asked."""
    assert came(*GOOD) == (Outcome.PASSED, None)


def test_the_figures_are_of_the_right_requests():
    """Waiting is compared with the primary's usual time, and recovery counts from the end."""
    told = figures(PLAN, sequence(*GOOD))
    assert (told.requests, told.requests_down, told.lost, told.attempts_down) == (5, 2, 0, 1)
    assert (told.extra_wait_s, told.most_extra_wait_s) == (1.25, 2.5)
    assert (told.back_after_s, told.order) == (2.5, ("gemma", "claude"))


@pytest.mark.parametrize(
    ("lost", "kind"),
    [
        (exchange(Stage.DOWN, 6.0, hit(), reply=refused()), Kind.NEVER_TRIED),
        (exchange(Stage.DOWN, 6.0, reply=refused("all in cooldown")), Kind.NEVER_TRIED),
        (
            exchange(Stage.AFTER, 13.0, record("gemma", AttemptOutcome.ERRORED), reply=refused()),
            Kind.HOP_FAILED,
        ),
        (
            exchange(Stage.DOWN, 6.0, hit(), reply=got(timed_out=True, status=None)),
            Kind.TOO_LATE,
        ),
    ],
)
def test_a_request_without_an_answer_is_lost(lost, kind):
    """Whenever it was, and by how it was lost."""
    ordered = sorted((*GOOD, lost), key=lambda one: one.asked_at_s)
    assert came(*ordered) == (Outcome.FAILED, kind)


def test_an_answer_is_judged_as_any_other():
    """One of them is not what its hop replied."""
    spoilt = exchange(Stage.DOWN, 6.0, served(), reply=got(replace(got().reading, text="Other.")))
    outcome, kind = came(BEFORE, HIT, COOLED, spoilt, STILL, BACK)
    assert outcome is Outcome.FAILED
    assert kind is not None


def test_the_primary_has_to_come_back():
    """Until its time is over the fallback serves."""
    assert came(BEFORE, HIT, COOLED, STILL) == (Outcome.FAILED, Kind.SLOW_RECOVERY)


def test_an_outage_that_no_request_met_proves_nothing():
    """All of it went by while the primary was left alone."""
    assert came(BEFORE, COOLED, BACK) == (Outcome.INCONCLUSIVE, Kind.FAULT_NOT_HIT)


def test_a_group_without_a_chain_loses_its_requests():
    """And is told so."""
    alone = replace(plan(chain=("claude",), fault="outage"), course=PLAN.course)
    lost = exchange(Stage.DOWN, 2.0, hit(), reply=refused())
    assert came(BEFORE, lost, BACK, of=alone) == (Outcome.FAILED, Kind.NO_FALLBACK)


def test_where_everything_is_down_an_honest_error_is_right():
    """In the outage alone: after it somebody has to answer."""
    both = replace(plan(depth=2, fault="outage"), course=PLAN.course)
    error = exchange(Stage.DOWN, 2.0, hit(), hit("gemma"), reply=refused())
    assert came(BEFORE, error, BACK, of=both) == (Outcome.PASSED, None)
    after = replace(error, stage=Stage.AFTER)
    assert came(BEFORE, error, after, BACK, of=both)[0] is Outcome.FAILED


def test_an_attempt_over_the_end_may_be_answered_by_the_primary():
    """Its first attempt failed, and its retry came when the outage was over."""
    over = exchange(Stage.DOWN, 11.0, hit(), primary())
    alone = as_it_was(PLAN, over)
    assert alone.hops[0].fault == FaultName("outage", None, once=True)
    assert came(BEFORE, HIT, over, BACK) == (Outcome.PASSED, None)


def test_a_request_is_planned_as_the_chain_was_left_for_it():
    """Who was kept out of use is not in its chain."""
    alone = as_it_was(PLAN, COOLED)
    assert alone.scenario.chain == ("gemma",)
    assert (alone.scenario.depth, alone.hops[0].role) == (0, HopRole.SERVE)
    failed = as_it_was(PLAN, HIT)
    assert (failed.scenario.chain, failed.scenario.depth) == (("claude", "gemma"), 1)


BOTH = replace(plan(depth=2, fault="outage"), course=PLAN.course)
BOTH_HIT = exchange(Stage.DOWN, 2.0, hit(), hit("gemma"), reply=refused())


@pytest.mark.parametrize("wire", [(), (hit("gemma"),), (hit(),)])
def test_a_hop_that_is_down_need_not_be_asked_where_nobody_can_serve(wire):
    """With every cooldown open, or one, the honest error is as right as with none."""
    cooled = exchange(Stage.DOWN, 4.0, *wire, reply=refused("all in cooldown", status=429))
    assert came(BEFORE, BOTH_HIT, cooled, BACK, of=BOTH) == (Outcome.PASSED, None)


def test_an_honest_error_is_counted_as_one_and_not_as_served():
    """'None lost' alone would sound as if everybody had got an answer."""
    cooled = exchange(Stage.DOWN, 4.0, reply=refused("all in cooldown", status=429))
    told = figures(BOTH, sequence(BEFORE, BOTH_HIT, cooled, BACK))
    assert (told.lost, told.errors) == (0, 2)
    assert "4 requests, none lost, 2 told that every hop was down; " in summary(BOTH, told)
    assert figures(PLAN, sequence(*GOOD)).errors == 0
    assert "told that" not in summary(PLAN, figures(PLAN, sequence(*GOOD)))


@pytest.mark.parametrize("of", [PLAN, BOTH])
def test_an_answer_that_nobody_on_the_wire_gave_is_none(of):
    """A cache's, say: it is no pass, whoever was left to serve."""
    cached = exchange(Stage.DOWN, 4.0)
    first = HIT if of is PLAN else BOTH_HIT
    assert came(BEFORE, first, cached, BACK, of=of) == (Outcome.INCONCLUSIVE, Kind.FAULT_NOT_HIT)
