"""Every rule is evaluated over one snapshot, and what comes of it goes to who wants it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.alerts.evaluation import evaluate, told_by
from supervisor.alerts.rule import Condition
from supervisor.settings.alerting import AlertSettings, NotifierSettings
from supervisor.store.alerts.records import Phase, Severity, Silence
from tests.fakes.alerts import EMPTY, alert_change, alert_state, rule
from tests.fakes.manual_clock import NOON

HOOK = {"webhook": {"url": "http://127.0.0.1:9/hook"}}
PHONE = {"apprise": {"url": {"env": "PHONE"}}}
MANAGER = {"alertmanager": {"url": "http://127.0.0.1:9093"}}
CLAUDE = Condition({"group": "claude"}, NOON, "claude is broken")


def notifier(kind=HOOK, **changes):
    """Make a notifier's settings."""
    return NotifierSettings.model_validate({**kind, **changes})


def evaluated(*states, rules, status=EMPTY, now=NOON):
    """Evaluate *rules* with one notifier."""
    return evaluate(
        states,
        status,
        now,
        settings=AlertSettings(),
        notifiers={"ops": notifier()},
        new_id=iter("abcdefgh").__next__,
        rules=rules,
    )


def test_what_begins_is_written_and_told():
    """The state, the change and who tells it belong to one transaction."""
    found = evaluated(rules=[rule([CLAUDE])])
    ((change, to),) = found.changes
    assert (change.firing, to) == (True, ("ops",))
    assert found.written == found.states
    assert found.states[0].labels["severity"] == "page"


def test_what_goes_on_is_not_written_again():
    """An evaluation of nothing new costs no transaction."""
    first = evaluated(rules=[rule([CLAUDE])])
    (state,) = first.states
    second = evaluated(state, rules=[rule([CLAUDE])], now=NOON + timedelta(seconds=1))
    third = evaluated(*second.states, rules=[rule([CLAUDE])], now=NOON + timedelta(seconds=2))
    assert (second.changes, third.changes, third.written) == ((), (), ())


def test_what_is_resolved_is_written_and_no_longer_known():
    """The next evaluation does not resolve it again."""
    (state,) = evaluated(rules=[rule([CLAUDE])]).states
    found = evaluated(state, rules=[rule([])])
    assert found.states == ()
    assert [one.phase for one in found.written] == [Phase.RESOLVED]
    assert [change.firing for change, _ in found.changes] == [False]


def test_an_alert_that_is_switched_off_is_resolved():
    """A receiver that heard that it fires hears that it is over."""
    (state,) = evaluated(rules=[rule([CLAUDE])]).states
    off = {"FallbackBroken": {"enabled": False}}
    found = evaluate(
        (state,),
        EMPTY,
        NOON,
        settings=AlertSettings.model_validate({"rules": off}),
        notifiers={"ops": notifier()},
        new_id=lambda: "x",
        rules=[rule([CLAUDE])],
    )
    assert [change.firing for change, _ in found.changes] == [False]


def test_an_alert_of_an_earlier_version_ends_in_silence():
    """No rule speaks for it any more, and nothing fires for ever."""
    old = alert_state(name="Renamed", labels={"alertname": "Renamed"})
    found = evaluated(old, rules=[rule([])])
    assert [(one.name, one.phase) for one in found.written] == [("Renamed", Phase.RESOLVED)]
    assert found.changes == ()


def test_the_settings_change_severity_and_patience():
    """By the name of the alert."""
    settings = AlertSettings.model_validate(
        {"rules": {"FallbackBroken": {"severity": "ticket", "for": "5m"}}}
    )

    def at(now, *states):
        return evaluate(
            states,
            EMPTY,
            now,
            settings=settings,
            notifiers={},
            new_id=lambda: "x",
            rules=[rule([CLAUDE])],
        )

    first = at(NOON)
    assert first.states[0].severity is Severity.TICKET
    assert first.changes == ()
    assert at(NOON + timedelta(minutes=5), *first.states).changes != ()


@pytest.mark.parametrize(
    ("matchers", "silenced"),
    [
        ({"alertname": "FallbackBroken"}, True),
        ({"alertname": "Fallback*", "group": "cl*"}, True),
        ({"alertname": "FallbackBroken", "group": "gpt"}, False),
        ({"hop": "gemma"}, False),
    ],
)
def test_a_silence_covers_what_all_of_its_patterns_match(matchers, silenced):
    """A label that an alert has not matches no pattern but a star."""
    silence = Silence(1, matchers, "lunch", NOON, NOON + timedelta(hours=1))
    found = evaluated(rules=[rule([CLAUDE])], status=replace(EMPTY, silences=(silence,)))
    ((change, to),) = found.changes
    assert (change.silence, to) == (("lunch", ()) if silenced else (None, ("ops",)))


def test_a_silence_that_is_over_silences_nothing():
    """At its end it has ended."""
    silence = Silence(1, {"alertname": "*Broken"}, "lunch", NOON, NOON)
    found = evaluated(rules=[rule([CLAUDE])], status=replace(EMPTY, silences=(silence,)))
    assert found.changes[0][1] == ("ops",)


@pytest.mark.parametrize(
    ("settings", "change", "gets"),
    [
        (notifier(), {}, True),
        (notifier(), {"silence": "lunch"}, False),
        (notifier(only=("Engine*",)), {}, False),
        (notifier(only=("Engine*", "Fallback*")), {}, True),
        (notifier(severities=("ticket",)), {}, False),
        (notifier(), {"severity": Severity.INFO, "name": "Halted"}, True),
        (notifier(PHONE), {"severity": Severity.INFO, "name": "Halted"}, False),
        (notifier(PHONE), {}, True),
        (notifier(reminders=False), {"reason": "repeat"}, False),
        (notifier(), {"reason": "repeat"}, True),
        (notifier(), {"name": "Watchdog", "severity": Severity.INFO}, True),
        (notifier(MANAGER), {"name": "Watchdog", "severity": Severity.INFO}, True),
        (notifier(PHONE), {"name": "Watchdog", "severity": Severity.INFO}, False),
        (notifier(PHONE, watchdog=True), {"name": "Watchdog", "severity": Severity.INFO}, True),
        (notifier(watchdog=False), {"name": "Watchdog", "severity": Severity.INFO}, False),
        (notifier(reminders=False), {"name": "Watchdog", "reason": "repeat"}, True),
        (notifier(only=("Halted",)), {"name": "UnderstudyTest", "severity": Severity.INFO}, True),
        (notifier(PHONE), {"name": "UnderstudyTest", "severity": Severity.INFO}, True),
        (notifier(), {"name": "NotifierBroken", "labels": {"notifier": "ops"}}, False),
        (notifier(), {"name": "NotifierBroken", "labels": {"notifier": "other"}}, True),
    ],
)
def test_a_notifier_gets_what_it_wants(settings, change, gets):
    """By name and severity; what always fires reaches people only where they ask for it."""
    assert told_by(alert_change(**change), {"ops": settings}) == (("ops",) if gets else ())
