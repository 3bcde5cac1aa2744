"""Users on a fallback are told of with since when, why, and when it was last proven."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.alerts.rules.real_traffic import RULES
from supervisor.coverage.ledger import PathState
from supervisor.probes.kinds.gateway import PART
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Standing
from supervisor.status import PathStatus
from tests.fakes.alerts import alert_state
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import condition, fallback_path, ledger_path, snapshot

(RULE,) = RULES
HOUR = timedelta(hours=1)
RUNNING = {
    "group": "claude",
    "hop": "gemma",
    "since": (NOON - HOUR).isoformat(),
    "last_at": NOON.isoformat(),
    "status": "400",
    "exception": "Anthropic.BadRequestError",
    "count": 12,
    "exhausted": 0,
}


def status(facts, paths=None, at=NOON):
    """A snapshot in which the gateway's metrics say so."""
    standing = Standing(PART, State.UP, NOON, at=at, facts=facts)
    return snapshot(condition=condition(parts={PART: standing}), paths=paths or {})


def tools(state=PathState.PROVEN, passed_at=NOON - 2 * HOUR, shape="tool_call"):
    """A path with tool calls."""
    path = fallback_path(shape=shape)
    return {path: PathStatus(ledger_path(path, state, passed_at=passed_at))}


def test_it_says_since_when_and_why():
    """By the gateway's own exception class, and the hop that serves."""
    (found,) = RULE.find(status({"on_fallback": [RUNNING]}, tools()))
    assert found.labels == {"group": "claude"}
    assert found.since == NOON - HOUR
    assert "Anthropic.BadRequestError, status 400" in found.summary
    assert found.more == {"hop": "gemma", "exception": "Anthropic.BadRequestError"}


def test_it_says_when_that_fallback_was_last_proven_with_tool_calls():
    """Users send tool calls, and a chat that passed says nothing of them."""
    (found,) = RULE.find(status({"on_fallback": [RUNNING]}, tools()))
    assert "last proven with tool calls at 2026-03-01 10:00:00 UTC." in found.description


def test_a_fallback_that_is_broken_just_now_is_said_to_be():
    """That is what the person who reads it must know first."""
    (found,) = RULE.find(status({"on_fallback": [RUNNING]}, tools(PathState.FAILED)))
    assert "1 of 1 such paths are not proven now" in found.description


def test_a_fallback_that_was_never_proven_or_is_not_rehearsed_is_said_to_be():
    """Each in its own words."""
    (never,) = RULE.find(
        status({"on_fallback": [RUNNING]}, tools(PathState.NEVER_PROVEN, passed_at=None))
    )
    assert "never proven with tool calls" in never.description
    (chat,) = RULE.find(status({"on_fallback": [RUNNING]}, tools(shape="chat")))
    assert "not rehearsed with tool calls" in chat.description


def test_fallbacks_that_failed_as_well_are_counted():
    """Users got errors, then."""
    (found,) = RULE.find(status({"on_fallback": [{**RUNNING, "exhausted": 3}]}))
    assert "3 of the fallbacks failed as well" in found.description


def test_a_gateway_without_users_on_a_fallback_says_nothing():
    """Nothing is found, and that is known."""
    quiet = status({"on_fallback": []})
    assert list(RULE.find(quiet)) == []
    assert not RULE.unjudged(quiet)


def test_before_the_gateway_was_looked_at_nothing_is_judged():
    """What fired when the daemon was stopped stays as it is until then."""
    assert RULE.unjudged(snapshot())
    assert RULE.unjudged(status({"on_fallback": []}, at=None))
    assert RULE.unjudged(status({}))


ENGINE = Part(PartKind.ENGINE, "gemma")
TRAFFIC = {"since": (NOON - HOUR).isoformat(), "last_at": NOON.isoformat(), "count": 5}


def by_engine(*, metrics=False, only_fallbacks=True, traffic=TRAFFIC):
    """What is found where an engine serves requests that no drill has sent."""
    gateway = Standing(PART, State.UP, NOON, at=NOON, facts={"on_fallback": [], "metrics": metrics})
    engine = Standing(ENGINE, State.UP, NOON, at=NOON, facts={"traffic": traffic})
    parts = {PART: gateway, ENGINE: engine}
    known = condition(parts=parts, only_fallbacks=only_fallbacks)
    return list(RULE.find(snapshot(condition=known, paths=tools())))


def test_without_metrics_an_engine_that_serves_users_is_the_sign():
    """Where only fallbacks reach it; which group fell back is not known, and said to be so."""
    (found,) = by_engine()
    assert (found.labels, found.since) == ({"group": "gemma"}, NOON - HOUR)
    assert "5 requests that no drill has sent" in found.description
    assert "Which of claude has fallen back" in found.description


@pytest.mark.parametrize(
    "changes", [{"metrics": True}, {"only_fallbacks": False}, {"traffic": None}]
)
def test_an_engine_that_others_ask_is_no_sign(changes):
    """Nor where the gateway's own metrics tell, or nothing is served."""
    assert by_engine(**changes) == []


def test_what_fired_before_a_restart_goes_on_until_the_gateway_was_compared():
    """The first look has nothing to compare with, and an empty list is no news."""
    labels = {"alertname": "RunningOnFallback", "group": "claude"}
    fired = alert_state(name="RunningOnFallback", labels=labels)
    quiet = status({"on_fallback": []})
    young = replace(quiet.condition, started_at=NOON - timedelta(seconds=599))
    (one,) = RULE.find(replace(quiet, alerts=(fired,), condition=young))
    assert (one.labels, one.holds) == ({"group": "claude"}, False)
    old = replace(quiet.condition, started_at=NOON - timedelta(seconds=600))
    assert list(RULE.find(replace(quiet, alerts=(fired,), condition=old))) == []


def test_a_gateway_that_is_not_watched_is_judged():
    """Who switches the watch off ends what it has fired."""
    assert not RULE.unjudged(snapshot(condition=condition(parts_known=True)))
