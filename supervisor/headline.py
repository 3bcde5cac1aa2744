"""One sentence that says how everything is: for systemd, the page and anyone in a hurry.

What keeps the daemon from its job comes first, then what fires, then what is not proven.
"""

from collections.abc import Iterator
from datetime import datetime

from supervisor.coverage.ledger import PathState
from supervisor.settings.values import duration_text
from supervisor.status import PROVEN, UNCOUNTED, Status
from supervisor.store.alerts.records import AlertState, Phase, Severity

URGENCY = {Severity.PAGE: 0, Severity.TICKET: 1}
"""What is of interest here; information is none."""


def headline(status: Status) -> str:
    """Say how everything is, in one sentence."""
    text = f"{_first(status)}; {_next(status)}"
    return text[0].upper() + text[1:]


def _first(status: Status) -> str:
    if status.problems:
        return status.problems[0]
    firing = sorted(_urgent(status.alerts), key=lambda one: URGENCY[one.severity])
    if firing:
        return _alert(firing[0], status.at, more=len(firing) - 1)
    if status.condition.reload_trouble:
        return f"the new configuration was refused: {status.condition.reload_trouble}"
    return _proven(status)


def _alert(alert: AlertState, now: datetime, *, more: int) -> str:
    """Say what fires, since when, and what mends it."""
    summary = alert.annotations.get("summary", alert.name).rstrip(".")
    day = "" if alert.starts_at.date() == now.date() else f"{alert.starts_at:%Y-%m-%d} "
    since = f"since {day}{alert.starts_at:%H:%M} UTC"
    others = f" (and {more} more)" if more else ""
    remedy = "".join(alert.annotations.get("remedy", "").splitlines()[:1]).rstrip(".")
    mended = f"; {remedy[0].lower()}{remedy[1:]}" if remedy else ""
    return f"{summary}{others}, {since}{mended}"


def _urgent(alerts: tuple[AlertState, ...]) -> Iterator[AlertState]:
    return (one for one in alerts if one.phase is Phase.FIRING and one.severity in URGENCY)


def _proven(status: Status) -> str:
    states = status.counts.states
    counted = sum(count for state, count in states.items() if state not in UNCOUNTED)
    if not counted and status.condition.topology_at is None:
        return "The gateway has not been read yet"
    if not counted:
        return "No fallback path is rehearsed"
    proven = sum(states.get(state, 0) for state in PROVEN)
    if proven == counted:
        return f"All {counted} fallback paths proven within their targets"
    rest = {
        PathState.FAILED: "failed",
        PathState.STALE: "stale",
        PathState.LATE: "late",
        PathState.NEVER_PROVEN: "never proven",
    }
    others = [f"{states[state]} {word}" for state, word in rest.items() if states.get(state)]
    return f"{proven} of {counted} fallback paths proven, {', '.join(others)}"


def _next(status: Status) -> str:
    if status.halt is not None:
        return f"drilling is halted: {status.halt.reason}"
    if status.condition.running is not None:
        return f"drilling {status.condition.running.scenario.partition('/')[0]}"
    if status.condition.closed is not None:
        return f"no drill now: {status.condition.closed}"
    if status.next_path is not None:
        return f"{status.next_path.group} is drilled next"
    if status.next_due_at is not None:
        return f"next drill in {duration_text(status.next_due_at - status.at, units=1)}"
    return status.next_reason or "nothing is due"
