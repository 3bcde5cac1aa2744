"""An engine that has become slower than its baseline."""

from datetime import timedelta

from supervisor.alerts.rules.speed import RULES
from supervisor.baseline.record import Conditions
from supervisor.baseline.standing import speed_of
from supervisor.baseline.text import TEXTS
from tests.fakes.snapshots import snapshot
from tests.supervisor.baseline.conftest import NOON, run, whole

(RULE,) = RULES
BASELINE = whole(100.0, 100.0)


def found(*benchmarks):
    """What the rule finds."""
    return list(RULE.find(snapshot(speeds={"gemma": speed_of(benchmarks)})))


def test_it_is_silent_while_nothing_is_known_or_nothing_is_shown():
    """No benchmark, a baseline alone, and less than boots differ by."""
    assert found() == []
    assert found(BASELINE) == []
    assert found(BASELINE, whole(90.0, 90.0, at=1, boot=1, by="daemon")) == []
    assert found(BASELINE, whole(200.0, 200.0, at=1, boot=1, by="daemon")) == []


def test_it_says_which_engine_since_when_and_how_much():
    """With what has changed, and how to accept it."""
    slow = whole(
        60.0, 60.0, at=1, boot=1, by="daemon", conditions=Conditions(model="/m", version="2")
    )
    (one,) = found(BASELINE, slow)
    assert one.labels == {"engine": "gemma"}
    assert one.since == NOON + timedelta(hours=1)
    assert "60.0 tokens a second of prose, 100.0 in its baseline" in one.summary
    assert "changed: version: 1 to 2" in one.description
    assert "understudy bench run gemma" in one.description
    assert one.more == {"benchmark": slow.id, "baseline": BASELINE.id}


def test_a_later_first_token_is_told_as_that():
    """Its speed is as it was."""
    late = whole(
        runs=tuple(run(100.0, text, ttft_s=1.0) for text in TEXTS for _ in range(3)),
        at=1,
        boot=1,
        by="daemon",
    )
    (one,) = found(BASELINE, late)
    assert "the first token of prose comes later" in one.summary


def test_a_person_who_measures_anew_has_accepted_it():
    """That is the new baseline."""
    slow, by_hand = whole(60.0, at=1, boot=1, by="daemon"), whole(60.0, at=2, boot=1)
    assert found(BASELINE, slow, by_hand) == []
