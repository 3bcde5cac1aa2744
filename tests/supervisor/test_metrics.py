"""Metrics are the snapshot: every name from the start, and nothing that is not known."""

import math
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.alerts.notifier import Result
from supervisor.coverage.ledger import PathState
from supervisor.metrics import BEGUN, KINDS, expose
from supervisor.probes.kinds.heartbeat import Expected
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Standing, unseen
from supervisor.status import Measured, PathStatus, Status
from supervisor.store.alerts.records import NotifierRecord, Phase
from supervisor.store.records import Halt, Used
from supervisor.tally import Counting
from tests.fakes.alerts import alert_state
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import row
from tests.fakes.snapshots import (
    FAILED,
    PATCH,
    PROVEN,
    ROLLOUT,
    UNPROVEN,
    condition,
    fallback_path,
    full_snapshot,
    ledger_path,
    snapshot,
)

NAMES = {
    "drills",
    "drill_failures",
    "drill_faults",
    "path_ok",
    "path_last_passed_timestamp_seconds",
    "path_freshness_target_seconds",
    "coverage_ratio",
    "coverage_stale_paths",
    "drill_duration_seconds",
    "fallback_latency_seconds",
    "known_gaps",
    "collateral",
    "stray_requests",
    "probe_up",
    "probe_duration_seconds",
    "engine_tokens_per_second",
    "engine_baseline_ratio",
    "patch_fits",
    "swap_unfinished",
    "heartbeat_age_seconds",
    "alerts_firing",
    "notifications",
    "outbox_pending",
    "budget_spent_usd",
    "budget_limit_usd",
    "halted",
    "event_loop_lag_seconds",
    "config_last_reload_successful",
    "build",
}
"""As the published interface names them, without prefix and without the suffix of counters."""


def read(status: Status) -> dict[str, dict[tuple[str, ...], float]]:
    """Read a page: by name without prefix, by the values of the labels, sorted by label."""
    page, _ = expose(status)
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in plain(page.decode()):
        for sample in family.samples:
            name = sample.name.removeprefix("understudy_")
            found.setdefault(name, {})[
                tuple(value for _, value in sorted(sample.labels.items()))
            ] = sample.value
    return found


def path_labels(path):
    """The labels of a path, sorted by label."""
    return (path.group, path.hop, path.shape, "false", path.surface, "general")


@pytest.mark.parametrize("status", [Status(NOON, condition()), snapshot(), full_snapshot()])
def test_every_name_is_there_from_the_start(status: Status):
    """Before the first drill, before the first look, and with everything that there can be."""
    page, kind = expose(status, "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    families = {family.name.removeprefix("understudy_") for family in open_metrics(page.decode())}
    assert families == NAMES


def test_the_plain_format_is_the_default():
    """Prometheus asks for OpenMetrics; curl does not."""
    _, kind = expose(snapshot())
    assert kind.startswith("text/plain; version=")


def test_one_registry_takes_the_snapshot_and_nothing_else():
    """The registry is a parameter: no metric of another part of the process is on the page."""
    registry = CollectorRegistry()
    page, _ = expose(snapshot(), registry=registry)
    assert b"python_info" not in page
    assert registry.get_sample_value("understudy_halted") == 0


def test_a_path_holds_or_has_failed_and_is_absent_before():
    """1, 0 and nothing; the target is there for each."""
    found = read(snapshot())
    assert found["path_ok"] == {path_labels(PROVEN): 1, path_labels(FAILED): 0}
    assert found["path_last_passed_timestamp_seconds"] == {
        path_labels(PROVEN): (NOON - timedelta(hours=1)).timestamp()
    }
    assert found["path_freshness_target_seconds"] == {
        path_labels(path): 3600 for path in (PROVEN, FAILED, UNPROVEN)
    }


@pytest.mark.parametrize("state", [PathState.GAP, PathState.ACCEPTED])
def test_what_is_explained_is_neither_well_nor_never_proven(state: PathState):
    """A known gap pages nobody, by any rule over paths."""
    path = fallback_path("gap")
    found = read(snapshot(paths={path: PathStatus(ledger_path(path, state))}))
    for name in ("path_ok", "path_freshness_target_seconds"):
        assert not found.get(name)


@pytest.mark.parametrize("state", [PathState.STALE, PathState.LATE, PathState.ROUTED])
def test_what_is_only_old_or_routed_has_not_failed(state: PathState):
    """That it is old is told by its last pass."""
    path = fallback_path("old")
    found = read(snapshot(paths={path: PathStatus(ledger_path(path, state))}))
    assert list(found["path_ok"].values()) == [1]


def test_drills_are_counted_from_zero():
    """Every group and hop has a series for each outcome before its first drill."""
    found = read(snapshot())
    assert len(found["drills_total"]) == 2 * len(Outcome)
    assert len(found["drill_failures_total"]) == 2 * len(BEGUN)
    assert set(found["drills_total"].values()) == {0}
    assert set(found["known_gaps_total"]) == {(kind.value,) for kind in KINDS}


def test_ended_drills_are_counted():
    """By group, hop and outcome, by fault, and how long each took."""
    counting = Counting()
    passed = row(outcome=Outcome.PASSED)
    hop = passed.scenario.expected_hop
    counting.add(passed, hop=hop, took_s=0.2, collateral=False)
    failed = row(outcome=Outcome.FAILED, kind=Kind.HOP_FAILED)
    counting.add(failed, hop=hop, took_s=70.0, collateral=True)
    found = read(snapshot(tally=counting.tally()))
    group = passed.scenario.group
    assert found["drills_total"][group, hop, "passed"] == 1
    assert found["drills_total"][group, hop, "failed"] == 1
    assert found["drill_faults_total"][passed.scenario.fault, "passed"] == 1
    assert found["collateral_total"][()] == 1
    assert found["drill_duration_seconds_bucket"]["0.1",] == 0
    assert found["drill_duration_seconds_bucket"]["0.25",] == 1
    assert found["drill_duration_seconds_bucket"]["60.0",] == 1
    assert found["drill_duration_seconds_bucket"]["+Inf",] == 2
    assert found["drill_duration_seconds_sum"][()] == pytest.approx(70.2)


def test_a_part_is_up_down_or_not_known():
    """NaN before anybody knows: no comparison of an alert holds for it."""
    engine, host = Part(PartKind.ENGINE, "gemma"), Part(PartKind.HOST)
    parts = {
        engine: Standing(engine, State.DOWN, NOON, took_s=0.25),
        Part(PartKind.GATEWAY): Standing(Part(PartKind.GATEWAY), State.DRIFTED, NOON),
        host: unseen(host, NOON),
    }
    found = read(snapshot(condition=condition(parts=parts)))
    up = found["probe_up"]
    assert up["engine", "gemma"] == 0
    assert up["gateway", "gateway"] == 1
    assert math.isnan(up["host", "host"])
    assert found["probe_duration_seconds"]["engine", "gemma"] == 0.25
    assert math.isnan(found["engine_baseline_ratio"]["gemma",])


def test_the_speed_of_an_engine_is_shown_against_its_baseline():
    """Of a single stream of the first text; as the alert and the page have it."""
    found = read(full_snapshot())
    assert found["engine_tokens_per_second"] == {("gemma",): 30.0}
    assert found["engine_baseline_ratio"]["gemma",] == pytest.approx(0.6)


def test_a_heartbeat_has_an_age_before_its_first_sign_of_life():
    """Counted from when it was first waited for."""
    waiting = condition(expected=(Expected("backup", timedelta(hours=1), timedelta(0)),))
    assert read(snapshot(condition=waiting))["heartbeat_age_seconds"] == {("backup",): 0}
    assert read(full_snapshot())["heartbeat_age_seconds"] == {("backup",): 7200}


def test_alerts_and_notifications_begin_at_zero():
    """Every alert with its severity, every notifier with each result."""
    rules = {"FallbackBroken": "page", "Halted": "info"}
    found = read(snapshot(condition=condition(rules=rules, notifiers=("ops",))))
    assert found["alerts_firing"] == {("FallbackBroken", "page"): 0, ("Halted", "info"): 0}
    assert found["notifications_total"] == {("ops", result.value): 0 for result in Result}
    assert found["outbox_pending"] == {(): 0}


def test_what_fires_and_what_was_told_is_counted():
    """What is only pending does not fire; what waits is pending in the outbox."""
    labels = {"alertname": "FallbackBroken", "group": "gpt"}
    alerts = (alert_state(), alert_state(labels=labels, phase=Phase.PENDING))
    status = snapshot(
        alerts=alerts,
        notifiers={"ops": NotifierRecord("ops", waiting=3), "am": NotifierRecord("am", waiting=2)},
        measured=Measured(told={("ops", "serverError"): 4}),
        condition=condition(rules={"FallbackBroken": "page"}, notifiers=("ops",)),
    )
    found = read(status)
    assert found["alerts_firing"] == {("FallbackBroken", "page"): 1}
    assert found["notifications_total"]["ops", "serverError"] == 4
    assert found["outbox_pending"] == {(): 5}


def test_the_daemon_tells_of_itself():
    """Halt, budget, lag, reload and versions."""
    status = snapshot(
        halt=Halt("release", NOON),
        used_today={"a": Used(1, 1, 0.25), "b": Used(1, 1, 0.5)},
        measured=Measured(loop_lag_s=0.125, strays=3),
        condition=condition(budget_usd=None, reload_trouble="a typo"),
    )
    found = read(status)
    assert found["halted"][()] == 1
    assert (found["budget_spent_usd"][()], found["budget_limit_usd"][()]) == (0.75, math.inf)
    assert found["event_loop_lag_seconds"][()] == 0.125
    assert found["stray_requests_total"][()] == 3
    assert found["config_last_reload_successful"][()] == 0
    assert found["build_info"] == {("1.106.2", "1.2.3"): 1}


def test_without_a_path_nothing_is_proven():
    """The share of nothing is not known, and no rule takes it for good or bad."""
    status = replace(Status(NOON, condition()))
    assert math.isnan(read(status)["coverage_ratio"][()])


@pytest.mark.prometheus
def test_promtool_finds_no_fault():
    """Names, units, types and help texts are as Prometheus asks for."""
    page, _ = expose(full_snapshot())
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_swaps_and_patches_are_told_by_their_engine():
    """A stranded swap and a patch over a changed file want a person; an accepted one does not."""
    found = read(full_snapshot())
    assert found["swap_unfinished"] == {("gemma",): 1}
    assert found["patch_fits"] == {("gemma", "/opt/parser.py"): 0}
    accepted = replace(ROLLOUT, state="accepted")
    fitting = replace(PATCH, made_for=PATCH.own)
    status = replace(full_snapshot(), rollouts=(accepted,), patches=(fitting,))
    assert read(status)["swap_unfinished"] == {("gemma",): 0}
    assert read(status)["patch_fits"] == {("gemma", "/opt/parser.py"): 1}
