"""How urgent a path is, in a number and in words."""

from dataclasses import replace
from datetime import timedelta

from supervisor.coverage.ledger import PathState
from supervisor.coverage.risk import in_words, rate, risk, weight
from tests.fakes.ledgers import new_path
from tests.fakes.manual_clock import NOON

PROVEN = replace(new_path(), state=PathState.PROVEN)
HOUR = timedelta(hours=1)


def test_the_risk_grows_evenly_from_when_a_path_is_due():
    """So that the most urgent of one rate is the one that is due longest."""
    assert risk(PROVEN, NOON) == 0
    assert risk(PROVEN, NOON + 2 * HOUR) == 2 * risk(PROVEN, NOON + HOUR)
    assert risk(PROVEN, NOON - HOUR) < 0


def test_what_matters_more_is_more_urgent():
    """Critical, failed, never proven or changed: each weighs more than nothing of it."""
    for heavier in (
        replace(PROVEN, critical=True),
        replace(PROVEN, state=PathState.FAILED),
        replace(PROVEN, state=PathState.NEVER_PROVEN),
        replace(PROVEN, full_since=NOON),
    ):
        assert weight(heavier) > weight(PROVEN)
        assert rate(heavier) > rate(PROVEN)


def test_a_short_target_is_more_urgent_than_a_long_one():
    """Overdue is measured by the target."""
    assert rate(replace(PROVEN, target_s=3600.0)) == 24 * rate(PROVEN)


def test_the_words_name_every_reason():
    """How long it is due, its target, and what makes it weigh more."""
    record = replace(PROVEN, critical=True, state=PathState.FAILED)
    assert in_words(record, NOON + HOUR) == (
        "due for 1h with a target of 1d; 4 times as urgent because its group is critical; "
        "3 times as urgent because it failed"
    )
    assert in_words(PROVEN, NOON - timedelta(minutes=90)) == "due in 1h30m with a target of 1d"
