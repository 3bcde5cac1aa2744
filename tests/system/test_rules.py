"""The files below config/ for Prometheus and Alertmanager, checked by their own tools."""

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.prometheus

CONFIG = Path(__file__).parents[2] / "config"
PROMETHEUS = CONFIG / "prometheus"
ALERTMANAGER = CONFIG / "alertmanager" / "alertmanager.yml"
RULE_SETS = ("understudy", "litellm")

DAEMON_ALERTS = {
    *("FallbackBroken", "FallbackStale", "FallbackNeverProven", "RunningOnFallback"),
    *("GatewayDown", "EngineDown", "EngineHung", "EngineDrifted", "ThroughputRegressed"),
    *("SwapUnfinished", "PatchOutdated"),
    *("HeartbeatMissed", "DrillCollateral", "ConfigRejected", "NotifierBroken"),
    *("Halted", "Watchdog"),
}
"""What the daemon itself raises."""

UNDERSTUDY_METRICS = {
    *("drills_total", "drill_failures_total", "drill_faults_total", "path_ok"),
    *("path_last_passed_timestamp_seconds", "path_freshness_target_seconds"),
    *("coverage_ratio", "coverage_stale_paths", "known_gaps_total", "collateral_total"),
    *("drill_duration_seconds", "fallback_latency_seconds", "stray_requests_total"),
    *("probe_up", "probe_duration_seconds", "engine_tokens_per_second"),
    *("engine_baseline_ratio", "heartbeat_age_seconds", "alerts_firing"),
    *("swap_unfinished", "patch_fits"),
    *("notifications_total", "outbox_pending", "budget_spent_usd", "budget_limit_usd"),
    *("halted", "event_loop_lag_seconds", "config_last_reload_successful", "build_info"),
}
"""What the daemon serves, without its prefix."""

LITELLM_METRICS = {
    "litellm_deployment_cooled_down_total",
    "litellm_deployment_failed_fallbacks_total",
    "litellm_deployment_failure_responses_total",
    "litellm_deployment_state",
    "litellm_deployment_success_responses_total",
    "litellm_deployment_successful_fallbacks_total",
    "litellm_proxy_failed_requests_metric_total",
}
"""What LiteLLM 1.106.2 serves, as its exposition writes the names."""

SETTING = re.compile(r"(?m)^(\s*)# ( *(?:- )?[a-z_]+:(?: .*)?|- \S+\.yml)$")
"""A commented line that is a setting and not prose."""


def run(*command: str, folder: Path) -> None:
    """Run a tool in *folder*; what it prints is the failure's message."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def rules(name: str) -> list[dict[str, Any]]:
    """Read the alerts and recorded series of a set."""
    groups = yaml.safe_load((PROMETHEUS / f"{name}.rules.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [(name, rule) for name in RULE_SETS for rule in rules(name) if "alert" in rule]
each_alert = pytest.mark.parametrize(
    ("name", "rule"), ALERTS, ids=[rule["alert"] for _, rule in ALERTS]
)


@pytest.mark.parametrize("name", RULE_SETS)
def test_the_rules_are_valid(name):
    """Prometheus takes the expressions and templates of the file."""
    run("promtool", "check", "rules", f"{name}.rules.yml", folder=PROMETHEUS)


@pytest.mark.parametrize("name", RULE_SETS)
def test_the_rules_do_what_their_tests_say(name):
    """Each alert fires with its labels and annotations, stays silent, and resolves."""
    run("promtool", "test", "rules", f"{name}.test.yml", folder=PROMETHEUS)


def test_the_scrape_configuration_is_valid():
    """It can be used as it is, with the rules beside it."""
    run("promtool", "check", "config", "prometheus.yml", folder=PROMETHEUS)


def test_the_scrape_configuration_is_valid_with_every_comment_made_a_setting(tmp_path):
    """The job for LiteLLM and the tokens are settings too, not prose that has drifted."""
    folder = shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    opened, count = SETTING.subn(r"\1\2", (folder / "prometheus.yml").read_text("utf-8"))
    assert count == 8
    (folder / "prometheus.yml").write_text(opened, "utf-8")
    for secret in ("understudy-token", "litellm-key"):
        (folder / secret).write_text("made-up", "utf-8")
    run("promtool", "check", "config", "prometheus.yml", folder=folder)
    jobs = yaml.safe_load(opened)["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["understudy", "litellm"]


def test_the_configuration_of_alertmanager_is_valid():
    """It can be used as it is."""
    run("amtool", "check-config", ALERTMANAGER.name, folder=ALERTMANAGER.parent)


def test_the_configuration_of_alertmanager_is_valid_with_every_comment_made_a_setting(tmp_path):
    """The inhibition that it leaves to its user is a rule too."""
    opened, count = SETTING.subn(r"\1\2", ALERTMANAGER.read_text("utf-8"))
    assert count == 2
    (tmp_path / ALERTMANAGER.name).write_text(opened, "utf-8")
    run("amtool", "check-config", ALERTMANAGER.name, folder=tmp_path)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=FallbackBroken", "severity=page"], "pager"),
        (["alertname=FallbackStale", "severity=ticket"], "tickets"),
        (["alertname=Halted", "severity=info"], "record"),
        (["alertname=Watchdog", "severity=info"], "dead-mans-switch"),
        (["alertname=OfSomebodyElse"], "tickets"),
    ],
)
def test_an_alert_reaches_the_receiver_of_its_severity(labels, receiver):
    """Alertmanager's own router says where it goes."""
    run(
        *("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER.name}"),
        *(f"--verify.receivers={receiver}", *labels),
        folder=ALERTMANAGER.parent,
    )


def test_every_alert_of_the_daemon_has_a_rule():
    """Prometheus goes on where the daemon or its notifiers are the problem."""
    names = [rule["alert"] for name, rule in ALERTS if name == "understudy"]
    assert sorted(names) == sorted({*DAEMON_ALERTS, "UnderstudyDown", "EventLoopLag"})


@each_alert
def test_an_alert_has_a_firing_a_silent_and_a_resolving_case(name, rule):
    """In one sequence of its tests it is silent, then fires, then is silent again."""
    tests = yaml.safe_load((PROMETHEUS / f"{name}.test.yml").read_text("utf-8"))["tests"]
    assert any(_fires_and_resolves(test, rule["alert"]) for test in tests)


@each_alert
def test_an_alert_says_how_urgent_it_is_and_where_to_read_on(name, rule):
    """A person who is woken finds the page by the alert's name."""
    assert rule["labels"]["severity"] in ("page", "ticket", "info")
    assert sorted(rule["annotations"]) == ["description", "runbook_url", "summary"]
    page = "http://127.0.0.1:8940/docs/alerts.md"
    assert rule["annotations"]["runbook_url"] == f"{page}#{rule['alert'].lower()}"


@pytest.mark.parametrize("name", RULE_SETS)
def test_the_rules_name_only_metrics_that_exist(name):
    """A rule over a name that nobody serves is silent for ever."""
    recorded = {rule["record"] for rule in rules(name) if "record" in rule}
    served = {
        "understudy": {f"understudy_{metric}" for metric in UNDERSTUDY_METRICS},
        "litellm": LITELLM_METRICS | recorded,
    }[name]
    named = {metric for rule in rules(name) for metric in _metrics(rule["expr"])}
    assert named - served == {"up"}
    assert recorded <= named


def _fires_and_resolves(test: dict[str, Any], alert: str) -> bool:
    """Look for silence, firing and silence in this order."""
    looks = sorted(
        (_minutes(case["eval_time"]), bool(case["exp_alerts"]))
        for case in test.get("alert_rule_test", ())
        if case["alertname"] == alert
    )
    changes = [(before, after) for (_, before), (_, after) in pairwise(looks) if before != after]
    return changes[:2] == [(False, True), (True, False)]


def _minutes(duration: str) -> int:
    """Read a time such as 2h5m; all of them are whole minutes."""
    spans = {"h": 60, "m": 1}
    assert re.fullmatch(r"(?:\d+[hm])+", duration), duration
    return sum(int(n) * spans[unit] for n, unit in re.findall(r"(\d+)([hm])", duration))


def _metrics(expression: str) -> set[str]:
    """Name what an expression reads: the words that are no function, keyword, label or value."""
    rest = re.sub(r'"[^"]*"', "", expression)
    rest = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", rest)
    rest = re.sub(r"\b(?:by|without|on)\s*\([^)]*\)", "", rest)
    rest = re.sub(r"\b(?:and|or|unless)\b|\boffset \w+", "", rest)
    return set(re.findall(r"(?<![\w.:])[a-z_][\w:]*\b(?!\s*\()", rest))
