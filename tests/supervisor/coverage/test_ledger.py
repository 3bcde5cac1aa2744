"""One path's record: the worst of the last verdict per fault."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.judge.verdict import Outcome
from supervisor.coverage.ledger import (
    MEANINGS,
    FaultVerdict,
    PathState,
    after_drill,
    evaluated,
    kept,
    next_fault,
    retired,
    turns_at,
)
from tests.fakes.ledgers import DAY_S, ended, new_path, wish
from tests.fakes.manual_clock import NOON

FAULTS = ("billing", "rate_limit", "server_error", "hang")


def drilled(*drills, record=None, faults=FAULTS):
    """Let *drills* end one after the other; gives the path and what is known of its faults."""
    record = record or new_path(faults=len(faults))
    known = {fault: FaultVerdict(fault) for fault in faults}
    for drill in drills:
        record, verdict = after_drill(record, known, drill)
        known[verdict.fault] = verdict
    return record, known


def failing(fault="billing", **changes):
    """Let a drill fail."""
    return ended(fault, Outcome.FAILED, kind="hop_failed", **changes)


def test_every_state_says_what_it_means():
    """Docs, page and command line explain a state with one sentence."""
    assert set(MEANINGS) == set(PathState)


def test_a_new_path_is_due_at_once():
    """It was never proven, since it was first seen."""
    record = new_path()
    assert (record.state, record.since, record.due_at) == (PathState.NEVER_PROVEN, NOON, NOON)


@pytest.mark.parametrize(
    ("drill", "state"),
    [
        (ended(), PathState.PROVEN),
        (ended(stand_in=True), PathState.ROUTED),
        (ended(partial=True), PathState.PARTLY_PROVEN),
        (failing(), PathState.FAILED),
        (failing(known_gap="issue 1"), PathState.GAP),
        (
            failing(known_gap="accepted", accepted_until=NOON + timedelta(days=1)),
            PathState.ACCEPTED,
        ),
        (ended(outcome=Outcome.INCONCLUSIVE), PathState.NEVER_PROVEN),
        (ended(outcome=Outcome.ABORTED), PathState.NEVER_PROVEN),
        (ended(twin=True), PathState.NEVER_PROVEN),
        (failing(twin=True), PathState.NEVER_PROVEN),
    ],
)
def test_the_first_drill_says_how_a_path_stands(drill, state):
    """A stand-in proves the routing only, and a twin nothing about the running gateway."""
    record, _ = drilled(drill)
    assert record.state is state


def test_a_reply_that_is_only_misreported_leaves_its_path_proven():
    """The fallback served: what the gateway says of it is a warning, and no outage."""
    record, known = drilled(ended("billing", Outcome.FAILED, kind="misreported"))
    assert (record.state, record.passed_at) == (PathState.PROVEN, NOON)
    assert known["billing"].outcome is Outcome.FAILED
    worse, _ = drilled(failing("hang"), record=record)
    assert worse.state is PathState.FAILED


def test_a_known_gap_that_is_only_misreported_is_a_gap():
    """It is explained, not proven."""
    drill = ended("billing", Outcome.FAILED, kind="misreported", known_gap="corpus")
    record, _ = drilled(drill)
    assert (record.state, record.passed_at) == (PathState.GAP, None)


def test_a_pass_of_one_fault_does_not_resolve_the_failure_of_another():
    """Only a pass of the same fault does."""
    record, _ = drilled(failing("billing"), ended("rate_limit", after_s=60))
    assert record.state is PathState.FAILED
    record, _ = drilled(
        failing("billing"), ended("rate_limit", after_s=60), ended("billing", after_s=120)
    )
    assert record.state is PathState.PROVEN


@given(
    st.lists(
        st.tuples(st.sampled_from(FAULTS), st.sampled_from(tuple(Outcome))), min_size=1, max_size=30
    )
)
def test_a_path_has_failed_exactly_while_a_failure_stands(drills):
    """Whatever the order: its state is that of the last verdict of each fault."""
    record, _ = drilled(
        *(ended(fault, outcome, after_s=n) for n, (fault, outcome) in enumerate(drills))
    )
    last = {f: o for f, o in drills if o in (Outcome.PASSED, Outcome.FAILED)}
    assert (record.state is PathState.FAILED) == (Outcome.FAILED in last.values())
    assert (record.state is PathState.NEVER_PROVEN) == (not last)


def test_a_failure_has_the_time_at_which_it_was_seen():
    """And keeps it while it stands, whatever else is tried."""
    record, _ = drilled(failing(after_s=30), ended("hang", after_s=90))
    assert record.since == NOON + timedelta(seconds=30)


def test_a_path_is_late_and_then_stale_from_the_moment_at_which_it_became_so():
    """Not from when somebody looked."""
    record, known = drilled(ended())
    assert turns_at(record, known.values()) == record.late_at
    late = evaluated(record, known.values(), NOON + timedelta(days=1.5))
    assert (late.state, late.since) == (PathState.LATE, NOON + timedelta(seconds=DAY_S))
    stale = evaluated(record, known.values(), NOON + timedelta(days=9))
    assert (stale.state, stale.since) == (PathState.STALE, NOON + timedelta(seconds=2 * DAY_S))
    assert turns_at(stale, known.values()) is None


def test_what_is_accepted_fails_when_its_day_is_over():
    """From the end of that day on, without another drill."""
    until = NOON + timedelta(days=2)
    record, known = drilled(failing(known_gap="accepted", accepted_until=until))
    assert turns_at(record, known.values()) == until
    over = evaluated(record, known.values(), until + timedelta(hours=3))
    assert (over.state, over.since) == (PathState.FAILED, until)


def test_a_failure_has_every_fault_tried_at_once():
    """And each only once: then the path is due as any that failed."""
    record, known = drilled(ended(), failing("rate_limit", after_s=10))
    tried = []
    for n in range(10):
        if record.full_since is None:
            break
        assert record.due_at == NOON + timedelta(seconds=10 + n)
        fault = next_fault(record, known, FAULTS, record.due_at)
        tried.append(fault)
        record, verdict = after_drill(record, known, ended(fault, after_s=11 + n))
        known[fault] = verdict
    # The one that failed comes first: a single drill wakes nobody.
    assert tried[0] == "rate_limit"
    assert sorted(tried[1:]) == ["billing", "hang", "server_error"]
    assert record.due_at > NOON + timedelta(minutes=14)


def test_what_has_failed_is_tried_first_where_all_are_tried_anew():
    """After a change of the gateway a fallback that was mended shows at once that it holds."""
    record, known = drilled(
        failing("hang"), failing("billing", after_s=1), ended("rate_limit", after_s=2)
    )
    changed = kept(record, wish(fingerprint="g"), NOON + timedelta(hours=1))
    turns = []
    for n in range(4):
        turns.append(next_fault(changed, known, FAULTS, changed.due_at))
        drill = ended(turns[-1], after_s=3601 + n)
        changed, known[turns[-1]] = after_drill(changed, known, drill)
    assert turns == ["hang", "billing", "server_error", "rate_limit"]
    assert changed.state is PathState.PROVEN


def test_a_first_failure_is_drilled_once_more_at_once():
    """With the same fault, before anything else; after that it is confirmed."""
    record, known = drilled(failing("hang"), record=new_path(faults=1), faults=("hang",))
    assert known["hang"].fails == 1
    assert record.due_at == NOON
    assert next_fault(record, known, ("hang",), NOON) == "hang"
    record, known["hang"] = after_drill(record, known, failing("hang", after_s=1))
    assert known["hang"].fails == 2
    assert record.due_at > NOON + timedelta(minutes=14)


def test_an_unconfirmed_failure_is_drilled_no_faster_than_drills_prove_something():
    """A twin proves nothing of the running gateway, and an inconclusive drill nothing at all."""
    record, known = drilled(failing("hang"), record=new_path(faults=1), faults=("hang",))
    twin, _ = after_drill(record, known, ended("hang", after_s=1, twin=True))
    assert twin.due_at > NOON + timedelta(minutes=14)
    missed, _ = after_drill(record, known, ended("hang", Outcome.INCONCLUSIVE, after_s=1))
    assert missed.due_at == NOON + timedelta(seconds=61)


def test_while_drills_prove_nothing_other_faults_have_their_turn():
    """The one that is to be confirmed does not keep the path to itself."""
    record, known = drilled(failing("hang"), ended("hang", Outcome.INCONCLUSIVE, after_s=1))
    assert next_fault(record, known, FAULTS, NOON) != "hang"


def test_what_is_explained_or_only_misreported_confirms_nothing():
    """The first real failure after it is a first one."""
    for before in ({"kind": "misreported"}, {"kind": "hop_failed", "known_gap": "corpus"}):
        _, known = drilled(
            *(ended("billing", Outcome.FAILED, after_s=n, **before) for n in range(3)),
            failing(after_s=9),
        )
        assert known["billing"].fails == 1


def test_failures_of_two_faults_confirm_each_other():
    """A path on which two drills have failed needs no third before somebody is told."""
    record, known = drilled(failing("hang"), failing("billing", after_s=1))
    assert [known[fault].fails for fault in ("hang", "billing")] == [1, 1]
    assert next_fault(record, known, FAULTS, NOON) in ("rate_limit", "server_error")


def test_a_pass_ends_the_row_of_failures():
    """The next failure is a first one again."""
    _, known = drilled(failing(), failing(after_s=1), ended(after_s=2), failing(after_s=3))
    assert known["billing"].fails == 1


def test_a_drill_that_proves_nothing_changes_nothing_but_the_turn():
    """The failure before it stands, and the fault waits for its next turn."""
    record, known = drilled(
        failing(), *(ended(f, after_s=9) for f in FAULTS[1:]), record=new_path(faults=4)
    )
    after, _ = after_drill(record, known, ended(outcome=Outcome.INCONCLUSIVE, after_s=60))
    assert (after.state, after.since) == (record.state, record.since)
    assert after.misses == 1
    assert after.due_at == NOON + timedelta(seconds=120)


def test_an_aborted_drill_is_repeated():
    """It was nobody's fault, and its fault keeps its turn."""
    record, known = drilled(ended(outcome=Outcome.ABORTED, after_s=5))
    assert record.due_at == NOON + timedelta(seconds=5)
    assert known["billing"].tried_at is None


def test_every_fault_has_its_turn():
    """The one that was tried longest ago comes next."""
    record, known = drilled()
    order = []
    for n in range(2 * len(FAULTS)):
        fault = next_fault(record, known, FAULTS, NOON)
        order.append(fault)
        record, known[fault] = after_drill(record, known, ended(fault, after_s=n))
    assert order == [*FAULTS, *FAULTS]


def test_what_failed_has_every_other_turn():
    """So that its recovery shows, and the other faults still have theirs."""
    record, known = drilled(failing("hang"), *(ended(f, after_s=1) for f in FAULTS[:3]))
    assert record.full_since is None
    order = []
    for n in range(6):
        fault = next_fault(record, known, FAULTS, NOON)
        order.append(fault)
        outcome = Outcome.FAILED if fault == "hang" else Outcome.PASSED
        record, known[fault] = after_drill(record, known, ended(fault, outcome, after_s=2 + n))
    assert order[::2] == ["hang", "hang", "hang"]
    assert sorted(order[1::2]) == sorted(FAULTS[:3])


def test_a_changed_gateway_has_every_fault_tried_anew():
    """What was proven of another chain is history, and is shown until it is proven again."""
    record, _ = drilled(ended())
    later = NOON + timedelta(hours=1)
    changed = kept(record, wish(fingerprint="other"), later)
    assert (changed.state, changed.due_at, changed.full_since) == (PathState.PROVEN, later, later)
    assert kept(record, wish(), later).full_since is None


def test_a_path_that_comes_back_has_its_history_and_is_due():
    """It was retired, not deleted."""
    record, _ = drilled(ended())
    gone = retired(record, NOON + timedelta(hours=1))
    assert gone.retired_at == NOON + timedelta(hours=1)
    back = kept(gone, wish(), NOON + timedelta(hours=2))
    assert back.retired_at is None
    assert (back.passed_at, back.due_at) == (NOON, NOON + timedelta(hours=2))


def test_a_shorter_target_makes_a_path_due_sooner():
    """And late by what was proven before."""
    record, _ = drilled(ended())
    critical = kept(record, wish(3600, critical=True), NOON + timedelta(minutes=5))
    assert critical.late_at == NOON + timedelta(hours=1)
    assert critical.due_at < record.due_at


def test_a_gap_is_worse_than_a_pass_and_better_than_a_failure():
    """A path with both is failed; with a gap and passes it is a gap."""
    gap = failing("hang", known_gap="issue 1")
    assert drilled(ended(), gap)[0].state is PathState.GAP
    assert drilled(gap, failing("billing", after_s=1))[0].state is PathState.FAILED


def test_a_stand_in_on_one_fault_makes_the_path_routed():
    """The worst of the last verdicts counts."""
    record, _ = drilled(ended(), ended("hang", after_s=1, stand_in=True))
    assert record.state is PathState.ROUTED
    assert replace(record, state=PathState.PROVEN) != record


def test_a_clock_that_is_set_back_changes_no_state():
    """By an hour: what was proven stays proven, and a drill that ends then counts as any other."""
    record, known = drilled(ended(), failing("hang", after_s=5))
    before = NOON - timedelta(hours=1)
    assert evaluated(record, known.values(), before) == record
    assert next_fault(record, known, FAULTS, before) in FAULTS
    after, verdict = after_drill(record, known, ended("hang", after_s=-3600))
    assert verdict.outcome is Outcome.PASSED
    assert after.state is PathState.PROVEN
