"""When a path is due, late and stale."""

from datetime import timedelta

import pytest

from supervisor.coverage.freshness import (
    FIRST_PAUSE_S,
    RETRY_S,
    ROUND_S,
    due_after_nothing,
    due_after_verdict,
    late_at,
    stale_at,
    turn_s,
)
from tests.fakes.manual_clock import NOON

HOUR_S, DAY_S = 3600.0, 86_400.0


def after(moment):
    """Count the seconds since noon."""
    return (moment - NOON).total_seconds()


def test_a_path_is_due_before_it_is_late():
    """One that holds is never shown as late."""
    assert due_after_verdict(NOON, HOUR_S, 4, failed=False) < late_at(NOON, HOUR_S)
    assert late_at(NOON, HOUR_S) < stale_at(NOON, HOUR_S)


@pytest.mark.parametrize("faults", [1, 4, 28, 60])
@pytest.mark.parametrize("target_s", [HOUR_S, DAY_S, 30 * DAY_S])
def test_every_fault_has_its_turn_within_a_week(faults, target_s):
    """However long the target is: one turn for each fault fits into the round."""
    assert turn_s(target_s, faults) * faults <= ROUND_S


def test_a_path_that_failed_is_tried_again_soon():
    """Its recovery shows within a quarter of an hour, and no later than it would be due."""
    assert after(due_after_verdict(NOON, DAY_S, 4, failed=True)) == RETRY_S
    assert after(due_after_verdict(NOON, 60.0, 4, failed=True)) == 45.0


def test_drills_that_prove_nothing_are_repeated_ever_more_seldom():
    """Each pause is twice the one before, and never longer than an ordinary turn."""
    pauses = [after(due_after_nothing(NOON, DAY_S, 1, misses)) for misses in (1, 2, 3)]
    assert pauses == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert due_after_nothing(NOON, DAY_S, 1, 1000) == NOON + timedelta(seconds=turn_s(DAY_S, 1))
