"""The list of alerts is whole: settings, rules and runbooks name the same ones."""

import re
from pathlib import Path

import pytest

from supervisor.alerts.rules import RULES
from supervisor.alerts.rules.own import TEST
from supervisor.settings.alerting import ALERTS
from supervisor.status import Status
from tests.fakes.alerts import EMPTY
from tests.fakes.snapshots import full_snapshot, snapshot

RUNBOOKS = (Path(__file__).parents[4] / "docs" / "alerts.md").read_text("utf-8")


def test_settings_know_every_alert():
    """A name that is misspelt in the configuration is refused by this list."""
    assert tuple(rule.name for rule in RULES) == ALERTS


@pytest.mark.parametrize("name", [rule.name for rule in RULES if rule.name != TEST])
def test_every_alert_has_a_runbook(name: str):
    """Its address is in each notification, and leads to a section."""
    assert re.search(rf"(?m)^#+ {name}$", RUNBOOKS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("status", [EMPTY, snapshot(), full_snapshot()], ids=["empty", "", "full"])
def test_no_rule_stumbles_over_a_snapshot(rule, status: Status):
    """Whatever is known or not known: each condition has labels, and what is told a summary."""
    rule.unjudged(status)
    for condition in rule.find(status):
        assert condition.summary or not condition.holds
        assert set(condition.labels) <= {
            "group",
            "hop",
            "engine",
            "target",
            "name",
            "notifier",
            "test",
        }
