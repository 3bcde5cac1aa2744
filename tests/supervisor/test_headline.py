"""The sentence that says how everything is."""

from datetime import UTC, datetime

import pytest

from supervisor.coverage.ledger import PathState
from supervisor.headline import headline
from supervisor.status import Condition, Running, Status
from supervisor.store.alerts.records import AlertState, Phase, Severity
from supervisor.store.records import Counts, Halt

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DUE = "nothing is due before 2026-11-27 14:00:00+00:00"


def condition(**changes) -> Condition:
    """Make a daemon that can do its job."""
    return Condition("spark-1", "http://gateway:4000", "9.9", NOW, "/store", **changes)


def alert(name: str, severity: Severity, summary: str, phase: Phase = Phase.FIRING) -> AlertState:
    """Make an alert."""
    labels = {"alertname": name, "severity": severity}
    return AlertState(name, labels, {"summary": summary}, severity, phase, NOW, NOW)


def status(states: dict[PathState, int], **changes) -> Status:
    """Make a snapshot."""
    known = {"condition": condition(), "next_reason": DUE, **changes}
    return Status(at=NOW, counts=Counts(states=states), **known)


ALL = "All 24 fallback paths proven within their targets"
PROVEN = {PathState.PROVEN: 20, PathState.ROUTED: 4, PathState.GAP: 3}
BROKEN = "gemma refuses tool calls for claude-opus."


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (status(PROVEN), f"{ALL}; {DUE}"),
        (
            status({**PROVEN, PathState.FAILED: 2, PathState.STALE: 1}),
            f"24 of 27 fallback paths proven, 2 failed, 1 stale; {DUE}",
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
            f"gemma refuses tool calls for claude-opus (and 1 more); {DUE}",
        ),
        (
            status(PROVEN, condition=condition(store_trouble="the disk is full")),
            f"the disk is full; {DUE}",
        ),
        (
            status(PROVEN, condition=condition(reload_trouble="understudy.yaml: 1 problem")),
            f"the new configuration was refused: understudy.yaml: 1 problem; {DUE}",
        ),
        (
            status(PROVEN, halt=Halt("new driver", NOW)),
            f"{ALL}; drilling is halted: new driver",
        ),
        (
            status(PROVEN, condition=condition(running=Running("id", "a/general/1", NOW))),
            f"{ALL}; drilling a/general/1",
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
