"""What is sent to whom, as the configuration says it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.errors import UsageError
from supervisor.settings.alerting import (
    AlertSettings,
    NotifierSettings,
    Target,
    WebhookSettings,
)
from supervisor.settings.file import explain, parse_settings


def problems(raw: dict[str, Any], model: type[NotifierSettings | AlertSettings]) -> str:
    """Explain what is wrong, as the command line does."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)
    return "\n".join(explain(problem, model) for problem in caught.value.errors())


def test_reminders_come_every_four_hours_by_default():
    """And the alert that always fires every quarter of an hour."""
    alerts = AlertSettings()
    assert alerts.remind_every == timedelta(hours=4)
    assert alerts.watchdog_every == timedelta(minutes=15)
    assert (alerts.external_url, alerts.rules) == (None, {})


def test_single_alerts_can_be_changed():
    """How long it must hold, how severe it is, or that it is not wanted at all."""
    alerts = AlertSettings.model_validate(
        {
            "rules": {
                "FallbackStale": {"for": "1h", "severity": "info"},
                "Halted": {"enabled": False},
            }
        }
    )
    assert alerts.rules["FallbackStale"].hold == timedelta(hours=1)
    assert alerts.rules["FallbackStale"].severity == "info"
    assert not alerts.rules["Halted"].enabled


@pytest.mark.parametrize(
    "raw",
    [
        {"remind_every": 0},
        {"watchdog_every": "soon"},
        {"external_url": "ops.example"},
        {"rules": {"X": {"severity": "critical"}}},
        {"rules": {"X": {"hold": "1h"}}},
    ],
)
def test_what_makes_no_sense_is_refused(raw: dict[str, Any]):
    """Each with its path."""
    assert problems(raw, AlertSettings).startswith(next(iter(raw)))


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"only": ["Halted"]},
        {"webhook": {"url": "http://x"}, "alertmanager": {"url": "http://x"}},
    ],
)
def test_a_notifier_is_of_exactly_one_kind(raw: dict[str, Any]):
    """Two receivers are two notifiers, with results of their own."""
    assert "exactly one of: webhook, alertmanager, apprise" in problems(raw, NotifierSettings)


def test_a_notifier_gets_everything_unless_its_section_narrows_it():
    """Every alert, with reminders; an empty list of severities leaves the choice to its kind."""
    notifier = NotifierSettings.model_validate({"webhook": {"url": "http://127.0.0.1:9/x/"}})
    assert notifier.severities == ()
    assert (notifier.only, notifier.watchdog, notifier.reminders) == ((), None, True)
    assert notifier.kinds == ("webhook",)


@pytest.mark.parametrize("severities", [["critical"], ["page", ""], ["pages"]])
def test_a_severity_that_no_alert_has_is_refused(severities: list[str]):
    """A notifier that waits for it would get nothing, and nobody would know."""
    raw = {"webhook": {"url": "http://x"}, "severities": severities}
    assert "severities[" in problems(raw, NotifierSettings)


def test_an_address_is_written_down_or_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A webhook's address may be a secret itself."""
    (tmp_path / "url").write_text("https://a.example/file\n")
    monkeypatch.setenv("PLACE", "https://a.example/env")
    places = ["https://a.example/plain", {"env": "PLACE"}, {"file": str(tmp_path / "url")}]
    revealed = [
        WebhookSettings.model_validate({"url": place}).url.reveal().get_secret_value()
        for place in places
    ]
    assert revealed == [f"https://a.example/{part}" for part in ("plain", "env", "file")]


def test_an_address_whose_place_is_empty_is_an_error(monkeypatch: pytest.MonkeyPatch):
    """It names the place."""
    monkeypatch.delenv("PLACE", raising=False)
    with pytest.raises(UsageError, match="PLACE is empty or not set"):
        Target(env="PLACE").reveal()


@pytest.mark.parametrize("url", [{}, {"env": "A", "file": "b"}, {"url": "http://x"}])
def test_an_address_has_exactly_one_place(url: dict[str, str]):
    """Which of two would count, nobody could tell."""
    assert problems({"webhook": {"url": url}}, NotifierSettings).startswith("webhook.url")


def test_an_apprise_url_in_the_file_itself_is_refused_and_not_shown():
    """It holds keys, so it is named by its place."""
    explained = problems({"apprise": {"url": "tgram://s3cret/s3cret"}}, NotifierSettings)
    assert explained == "apprise.url: not a section with any of: env, file, credential"


def test_an_address_of_another_scheme_is_refused():
    """The address of an Alertmanager is no apprise URL."""
    raw = {"alertmanager": {"url": "ftp://x"}}
    assert "not an http:// or https:// URL" in problems(raw, NotifierSettings)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("alerts: {rules: {FallbackBroke: {for: 5m}}}", "did you mean 'FallbackBroken'"),
        ("alerts: {rules: {Halted: {severity: loud}}}", "one of: page, ticket, info"),
        (
            "notifiers: {ops: {webhook: {url: 'http://x'}, only: [EngineDwn]}}",
            "did you mean 'EngineDown'",
        ),
        (
            "notifiers: {ops: {webhook: {url: 'http://x'}, only: ['Motor*']}}",
            "nor a pattern of one",
        ),
    ],
)
def test_an_alert_that_does_not_exist_is_refused(text, complaint):
    """A misspelt name would silence nothing, or everything, and nobody would know."""
    with pytest.raises(UsageError) as caught:
        parse_settings(text, name="understudy.yaml")
    assert complaint in caught.value.message


@pytest.mark.parametrize(
    "line", ['webhook: {url: "hooks.example/T0/SECRET"}', 'apprise: {url: "ntfy://SECRET"}']
)
def test_a_mistyped_address_is_not_quoted(line):
    """It may hold a key, and the message goes into the log and to other notifiers."""
    with pytest.raises(UsageError) as caught:
        parse_settings(f"notifiers: {{ops: {{{line}}}}}", name="understudy.yaml")
    assert "notifiers.ops" in caught.value.message
    assert "SECRET" not in caught.value.message
