"""Parts that are down, hang, have changed, or fell silent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.alerts.rules.parts import RULES
from supervisor.probes.kinds.heartbeat import Beats, Expected
from supervisor.probes.probe import Outcome, Part, PartKind, State, Step
from supervisor.probes.standing import Standing
from supervisor.store.engines.rollouts import JournalRollout
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import condition, full_snapshot, snapshot

GATEWAY, ENGINE = Part(PartKind.GATEWAY), Part(PartKind.ENGINE, "gemma")
CONTAINER = Part(PartKind.CONTAINER, "gemma")
HOUR = timedelta(hours=1)


def standing(part, state, at=NOON):
    """A part that stands so for an hour."""
    step = Step("health", "it answers", "refused", Outcome.BAD, 0.1)
    return Standing(part, state, NOON - HOUR, "nobody listens", at=at, evidence=(step,))


def found(*standings):
    """What each rule finds."""
    parts = {one.part: one for one in standings}
    status = snapshot(condition=condition(parts=parts))
    return {rule.name: conditions for rule in RULES if (conditions := list(rule.find(status)))}


@pytest.mark.parametrize(
    ("part", "state", "alert"),
    [
        (GATEWAY, State.DOWN, "GatewayDown"),
        (GATEWAY, State.HUNG, "GatewayDown"),
        (ENGINE, State.DOWN, "EngineDown"),
        (ENGINE, State.HUNG, "EngineHung"),
        (ENGINE, State.DRIFTED, "EngineDrifted"),
        (CONTAINER, State.DOWN, "EngineDown"),
        (CONTAINER, State.DRIFTED, "EngineDrifted"),
    ],
)
def test_each_bad_state_has_its_alert(part, state, alert):
    """With since when and why, what each step found, and what to do."""
    told = found(standing(part, state))
    assert list(told) == [alert]
    (one,) = told[alert]
    assert one.since == NOON - HOUR
    assert "nobody listens" in one.summary
    assert "health: refused" in one.description
    assert one.labels == ({"engine": "gemma"} if part is not GATEWAY else {})


@pytest.mark.parametrize("part", [GATEWAY, ENGINE, CONTAINER])
@pytest.mark.parametrize("state", [State.UP, State.BUSY, State.SLOW, State.UNKNOWN])
def test_what_serves_or_cannot_be_told_is_no_alert(part, state):
    """A monitor that does not know wakes nobody."""
    assert found(standing(part, state)) == {}


def test_an_engine_and_its_container_are_one_alert():
    """The worse of the two is told, with the same labels."""
    told = found(standing(ENGINE, State.HUNG), standing(CONTAINER, State.UP))
    assert list(told) == ["EngineHung"]
    told = found(standing(ENGINE, State.DOWN), standing(CONTAINER, State.DOWN))
    assert [len(conditions) for conditions in told.values()] == [1]


def test_an_engine_that_answers_is_not_down_whatever_docker_says():
    """The container that is named may be another one."""
    assert found(standing(ENGINE, State.UP), standing(CONTAINER, State.DOWN)) == {}


def test_a_part_that_was_not_looked_at_yet_is_not_judged():
    """What fired when the daemon was stopped stays as it is until the first look."""
    told = found(standing(ENGINE, State.DOWN, at=None), standing(GATEWAY, State.DOWN, at=None))
    assert {name: [one.holds for one in conditions] for name, conditions in told.items()} == {
        "GatewayDown": [False],
        "EngineDown": [False],
        "EngineHung": [False],
        "EngineDrifted": [False],
    }


def test_a_missed_heartbeat_is_told_with_how_many_were_missed():
    """Since it was due, not since somebody looked."""
    (rule,) = [rule for rule in RULES if rule.name == "HeartbeatMissed"]
    (one,) = rule.find(full_snapshot())
    assert one.labels == {"name": "backup"}
    assert one.since == NOON - HOUR
    assert "since 2026-03-01 10:00:00 UTC, 2 missed" in one.summary


def test_a_heartbeat_that_is_only_late_or_new_is_not_told():
    """Late comes before missed."""
    (rule,) = [rule for rule in RULES if rule.name == "HeartbeatMissed"]
    expected = (Expected("backup", HOUR, HOUR), Expected("new", HOUR, HOUR))
    beats = {"backup": Beats("backup", NOON - 9 * HOUR, NOON - 1.5 * HOUR, 3)}
    status = snapshot(condition=condition(expected=expected), beats=beats)
    assert list(rule.find(status)) == []


def test_a_client_that_could_not_report_while_the_daemon_was_down_is_not_missed_at_once():
    """It has its grace from the start of the daemon; what fired before stays as it is."""
    (rule,) = [rule for rule in RULES if rule.name == "HeartbeatMissed"]
    known = full_snapshot()
    just_started = replace(known.condition, started_at=NOON - HOUR / 4 + timedelta(seconds=1))
    (one,) = rule.find(replace(known, condition=just_started))
    assert not one.holds
    started = replace(known.condition, started_at=NOON - HOUR / 4)
    (one,) = rule.find(replace(known, condition=started))
    assert one.holds


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_before_it_is_known_what_is_watched_nothing_is_judged(rule):
    """A daemon that has just started resolves nothing because it has not looked yet."""
    engines = rule.name.startswith("Engine")
    for parts_known, engines_known in ((False, False), (True, False), (True, True)):
        known = condition(parts_known=parts_known, engines_known=engines_known)
        judged = not rule.unjudged(snapshot(condition=known))
        assert judged == (engines_known if engines else parts_known)


def test_what_a_swap_has_made_of_an_engine_is_no_drift():
    """Its gates have shown that it works; the same change without a swap is told."""
    parts = {ENGINE: standing(ENGINE, State.DRIFTED)}
    swap = JournalRollout("r1", "gemma", "vllm", "accepted", NOON - 2 * HOUR, NOON - HOUR / 2, {})
    (drifted,) = [rule for rule in RULES if rule.name == "EngineDrifted"]
    status = snapshot(condition=condition(parts=parts))
    assert list(drifted.find(status))
    assert not list(drifted.find(replace(status, rollouts=(swap,))))
