"""The sentence that says how everything is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from supervisor.coverage.ledger import PathState
from supervisor.headline import headline
from supervisor.status import Condition, Running, Status
from supervisor.store.alerts.records import AlertState, Phase, Severity
from supervisor.store.records import Counts, Halt
from tests.fakes.snapshots import fallback_path

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DUE = "next drill in 2h"


def condition(**changes) -> Condition:
    """Make a daemon that can do its job."""
    return Condition("spark-1", "http://gateway:4000", "9.9", NOW, "/store", **changes)


def alert(name: str, severity: Severity, summary: str, phase: Phase = Phase.FIRING) -> AlertState:
    """Make an alert."""
    labels = {"alertname": name, "severity": severity}
    return AlertState(name, labels, {"summary": summary}, severity, phase, NOW, NOW)


def status(states: dict[PathState, int], **changes) -> Status:
    """Make a snapshot."""
    due_at = NOW + timedelta(hours=2, minutes=3)
    known = {"condition": condition(), "next_due_at": due_at, **changes}
    return Status(at=NOW, counts=Counts(states=states), **known)


ALL = "All 24 fallback paths proven within their targets"
PROVEN = {PathState.PROVEN: 20, PathState.ROUTED: 4, PathState.GAP: 3}
BROKEN = "gemma refuses tool calls for claude-opus."


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (status(PROVEN), f"{ALL}; {DUE}"),
        (
            status(PROVEN, next_due_at=None, next_reason="there is nothing"),
            f"{ALL}; there is nothing",
        ),
        (
            status({**PROVEN, PathState.FAILED: 2, PathState.STALE: 1}),
            f"24 of 27 fallback paths proven, 2 failed, 1 stale; {DUE}",
        ),
        (
            status(PROVEN, next_due_at=None, next_path=fallback_path("opus")),
            f"{ALL}; opus is drilled next",
        ),
        (status({}), f"The gateway has not been read yet; {DUE}"),
        (
            status({}, condition=condition(topology_at=NOW)),
            f"No fallback path is rehearsed; {DUE}",
        ),
        (
            status(
                PROVEN,
                alerts=(
                    alert("FallbackStale", Severity.TICKET, "a path is stale"),
                    alert("FallbackBroken", Severity.PAGE, BROKEN),
                    alert("Watchdog", Severity.INFO, "always fires"),
                    alert("EngineDown", Severity.PAGE, "not yet", Phase.PENDING),
                ),
            ),
            f"Gemma refuses tool calls for claude-opus (and 1 more), since 12:00 UTC; {DUE}",
        ),
        (
            status(PROVEN, condition=condition(store_trouble="the disk is full")),
            f"The disk is full; {DUE}",
        ),
        (
            status(PROVEN, condition=condition(reload_trouble="understudy.yaml: 1 problem")),
            f"The new configuration was refused: understudy.yaml: 1 problem; {DUE}",
        ),
        (
            status(PROVEN, halt=Halt("new driver", NOW)),
            f"{ALL}; drilling is halted: new driver",
        ),
        (
            status(PROVEN, condition=condition(running=Running("id", "opus/general/1", NOW))),
            f"{ALL}; drilling opus",
        ),
        (
            status(PROVEN, condition=condition(closed="outside schedule.windows")),
            f"{ALL}; no drill now: outside schedule.windows",
        ),
    ],
)
def test_what_matters_most_comes_first(seen: Status, sentence: str):
    """What keeps the daemon from its job, then what fires, then what is not proven."""
    assert headline(seen) == sentence


def test_the_first_step_to_mend_it_is_said():
    """Of a remedy's lines the first; and the day, where it is not today."""
    begun = NOW - timedelta(days=2)
    firing = replace(
        alert("EngineDown", Severity.PAGE, "gemma is down"),
        annotations={"summary": "gemma is down", "remedy": "Start it.\nThen look."},
        starts_at=begun,
    )
    assert headline(status(PROVEN, alerts=(firing,))) == (
        f"Gemma is down, since 2026-11-25 12:00 UTC; start it; {DUE}"
    )
