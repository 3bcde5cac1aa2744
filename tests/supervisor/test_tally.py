"""What has happened is counted, by what metrics are labelled with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.tally import DRILL_BUCKETS_S, Counting, Distribution
from tests.fakes.rows import row


def counted(*rows, hop="gemma"):
    """Count drills that took a second each."""
    counting = Counting()
    for one in rows:
        counting.add(one, hop=hop, took_s=1.0, collateral=False)
    return counting.tally()


@given(st.lists(st.floats(0, 1000)))
def test_every_value_falls_into_one_bucket_or_above_the_last(values):
    """The counts are those of a plain count, bounds included."""
    filled = Distribution.empty(DRILL_BUCKETS_S)
    for value in values:
        filled = filled.with_value(value)
    below = [sum(value <= bound for value in values) for bound in DRILL_BUCKETS_S]
    assert [sum(filled.counts[: n + 1]) for n in range(len(DRILL_BUCKETS_S))] == below
    assert filled.total == len(values)
    assert filled.sum == pytest.approx(sum(values))


def test_a_known_gap_is_no_failure():
    """It is counted apart, by its kind."""
    gap = row(outcome=Outcome.FAILED, kind=Kind.NEVER_TRIED, known_gap="corpus")
    tally = counted(gap)
    assert tally.gaps == {Kind.NEVER_TRIED: 1}
    assert tally.failures == {}


def test_a_failure_is_counted_with_who_is_to_blame():
    """By the finding that gave the verdict its kind; the gateway, where none says."""
    failed = row(outcome=Outcome.FAILED, kind=Kind.HOP_FAILED, findings=())
    tally = counted(failed)
    assert tally.failures == {(failed.scenario.group, "gemma", Kind.HOP_FAILED, "gateway"): 1}


def test_a_variant_of_a_fault_is_counted_as_the_fault():
    """Labels are a closed set: variants have parameters without end."""
    plain = row(outcome=Outcome.PASSED)
    scenario = plain.scenario.model_copy(update={"fault": "rate_limit.retry_after_20"})
    tally = counted(plain.model_copy(update={"scenario": scenario}))
    assert tally.faults == {("rate_limit", Outcome.PASSED): 1}


def test_only_a_fallback_that_served_has_a_latency():
    """A pass by the one honest error is no fallback, and neither is a failure."""
    passed = row(outcome=Outcome.PASSED)
    group, hop = passed.scenario.group, passed.scenario.expected_hop
    assert counted(passed, hop=hop).latency[group, hop].total == 1
    assert counted(passed, hop="none").latency == {}
    assert counted(row(outcome=Outcome.FAILED, kind=Kind.TOO_LATE), hop=hop).latency == {}


def test_a_tally_stands_still():
    """What is counted afterwards does not change one that was taken."""
    counting = Counting()
    before = counting.tally()
    counting.add(row(), hop="gemma", took_s=1.0, collateral=True)
    assert (before.drills, before.collateral) == ({}, 0)
    assert counting.tally().collateral == 1
