"""What the daemon has to say of itself."""

from datetime import timedelta

import pytest

from supervisor.alerts.rules.own import BROKEN_AFTER, RULES
from supervisor.status import FELT, TestAlert
from supervisor.store.alerts.records import NotifierRecord
from supervisor.store.records import Halt
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import condition, snapshot


def found(name, **changes):
    """What the rule of this name finds."""
    (rule,) = [rule for rule in RULES if rule.name == name]
    return list(rule.find(snapshot(**changes)))


def test_a_halt_is_told_with_its_reason():
    """And when it ends."""
    (one,) = found("Halted", halt=Halt("release", NOON, NOON + timedelta(hours=1)))
    assert one.summary == "nothing is drilled until 2026-03-01 13:00:00 UTC: release"
    assert found("Halted") == []


def test_a_drill_that_others_felt_is_told_as_long_as_it_halts_the_daemon():
    """Another halt is no collateral."""
    (one,) = found("DrillCollateral", halt=Halt(f"{FELT} d1: a deployment vanished", NOON))
    assert "a deployment vanished" in one.description
    assert found("DrillCollateral", halt=Halt("release", NOON)) == []


def test_a_refused_configuration_is_told_with_what_is_wrong_with_it():
    """The old one holds meanwhile."""
    (one,) = found("ConfigRejected", condition=condition(reload_trouble="a typo"))
    assert "a typo" in one.description
    assert found("ConfigRejected") == []


@pytest.mark.parametrize(
    ("record", "broken"),
    [
        (NotifierRecord("ops", last_result="authError"), True),
        (NotifierRecord("ops", last_result="clientError"), True),
        (NotifierRecord("ops", last_result="ok", waiting=3, waiting_since=NOON), False),
        (
            NotifierRecord("ops", 1, 0, "unreachable", waiting_since=NOON - BROKEN_AFTER, tries=9),
            True,
        ),
        (
            NotifierRecord(
                "ops",
                1,
                0,
                "unreachable",
                waiting_since=NOON - BROKEN_AFTER + timedelta(seconds=1),
                tries=9,
            ),
            False,
        ),
        (NotifierRecord("ops", 1, 0, None, waiting_since=NOON - BROKEN_AFTER), False),
        (NotifierRecord("ops", 0, 7, "ok"), False),
    ],
)
def test_a_notifier_is_broken_if_it_refuses_or_is_out_of_reach_for_long(record, broken):
    """A refusal shows at once; what may pass is given some minutes."""
    known = condition(notifiers=("ops",))
    told = found("NotifierBroken", notifiers={"ops": record}, condition=known)
    assert bool(told) == broken


def test_one_alert_always_fires():
    """It proves that the way to you works."""
    (one,) = found("Watchdog")
    assert one.labels == {}


def test_a_test_fires_until_its_time():
    """And then resolves by itself."""
    test = TestAlert("t1", NOON - timedelta(minutes=1), NOON + timedelta(seconds=1))
    (one,) = found("UnderstudyTest", condition=condition(tests=(test,)))
    assert one.labels == {"test": "t1"}
    over = TestAlert("t1", NOON - timedelta(minutes=1), NOON)
    assert found("UnderstudyTest", condition=condition(tests=(over,))) == []


def test_a_notifier_that_cannot_be_used_at_all_is_told_through_the_others():
    """A typo in its address, say, that came with a secret."""
    known = condition(notifiers=("ops",), broken_notifiers={"ops": "not a URL"})
    (one,) = found("NotifierBroken", condition=known)
    assert one.labels == {"notifier": "ops"}
    assert "not a URL" in one.description


def test_what_is_left_of_a_notifier_that_is_gone_is_not_told():
    """The configuration names it no more; its last refusal stays in the store."""
    left = {"old": NotifierRecord("old", last_result="authError")}
    assert found("NotifierBroken", notifiers=left, condition=condition(notifiers=("ops",))) == []
