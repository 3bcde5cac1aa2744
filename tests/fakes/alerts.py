"""Alerts as rules, outbox and page see them."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count
from typing import Any

from supervisor.alerts.rule import AlertRule
from supervisor.alerts.rule import Condition as Found
from supervisor.alerts.step import Policy
from supervisor.status import Condition, Status
from supervisor.store.alerts.records import (
    AlertChange,
    AlertState,
    Phase,
    Reason,
    Severity,
)
from tests.fakes.manual_clock import NOON

EMPTY = Status(NOON, Condition("spark-1", "http://gateway:4000", "1.2.3", NOON, "here"))
LABELS = {"group": "claude", "hop": "gemma", "alertname": "FallbackBroken", "severity": "page"}


def rule(conditions: Iterable[Found] = (), name: str = "FallbackBroken", **changes: Any):
    """Make a rule that finds *conditions*, whatever the snapshot says."""
    return AlertRule(name, Severity.PAGE, lambda _: conditions, **changes)


def policy(silence: str | None = None, **changes: Any) -> Policy:
    """Tell at once, and again after four hours."""
    numbers = count(1)
    values: dict[str, Any] = {
        "severity": Severity.PAGE,
        "hold": timedelta(0),
        "remind_every": timedelta(hours=4),
        "silenced": lambda _: silence,
        "new_id": lambda: f"d{next(numbers)}",
        **changes,
    }
    return Policy(**values)


def alert_state(**changes: Any) -> AlertState:
    """An alert that fires since noon, and was told then."""
    values: dict[str, Any] = {
        "name": "FallbackBroken",
        "labels": LABELS,
        "annotations": {"summary": "gemma does not hold", "description": "start it", "drill": "d1"},
        "severity": Severity.PAGE,
        "phase": Phase.FIRING,
        "starts_at": NOON,
        "pending_since": NOON,
        "fired_at": NOON,
        "told_at": NOON,
        "reason": Reason.FIRST,
        **changes,
    }
    return AlertState(**values)


def alert_change(id_: str = "d1", **changes: Any) -> AlertChange:
    """It has begun to fire at noon."""
    values: dict[str, Any] = {
        "id": id_,
        "name": "FallbackBroken",
        "labels": LABELS,
        "annotations": {"summary": "gemma does not hold", "description": "start it", "drill": "d1"},
        "severity": Severity.PAGE,
        "firing": True,
        "reason": Reason.FIRST,
        "starts_at": NOON,
        "ends_at": None,
        "at": NOON,
        **changes,
    }
    return AlertChange(**values)
