"""One rule's alerts, advanced by one snapshot. Pure.

condition appears ─► pending ─► fires (first, or new beside others) ─► told again (repeat)
condition is gone ─► pending is dropped; what fires is resolved
snapshot cannot tell ─► as it was
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from supervisor.alerts.rule import AlertRule, Condition, runbook
from supervisor.status import Status
from supervisor.store.alerts.records import (
    AlertChange,
    AlertState,
    Phase,
    Reason,
    Severity,
    fingerprint_of,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How one rule is told.

    Attributes:
        hold: How long its condition must hold.
        remind_every: After how long what fires is told again.
        silenced: Says why nobody is told of these labels now; None if somebody is.
        new_id: Makes the id of a delivery.
    """

    severity: Severity
    hold: timedelta
    remind_every: timedelta
    silenced: Callable[[Mapping[str, str]], str | None]
    new_id: Callable[[], str]


States = Mapping[str, AlertState]
"""A rule's alerts by fingerprint; those that are resolved are not among them."""


def step(
    rule: AlertRule, policy: Policy, states: States, status: Status, now: datetime
) -> tuple[list[AlertState], list[AlertChange]]:
    """Take one snapshot into account.

    Returns:
        Every alert that was or is now, and what is to be told.
    """
    if rule.unjudged(status):
        return list(states.values()), []
    found = dict(_labelled(rule, policy, status))
    firing = sum(state.phase is Phase.FIRING for state in states.values())
    after: list[AlertState] = []
    changes: list[AlertChange] = []
    for name in dict.fromkeys((*states, *found)):
        state = _seen(rule, policy, states.get(name), found.get(name), now)
        if state is None:
            continue
        state, change = _decided(state, policy, now, others=firing)
        firing += change is not None and change.reason in (Reason.FIRST, Reason.NEW)
        after.append(state)
        if change is not None:
            changes.append(change)
    return after, changes


def _labelled(
    rule: AlertRule, policy: Policy, status: Status
) -> Iterator[tuple[str, tuple[Mapping[str, str], Condition]]]:
    for condition in rule.find(status):
        labels = {**condition.labels, "alertname": rule.name, "severity": policy.severity.value}
        yield fingerprint_of(labels), (labels, condition)


def _seen(
    rule: AlertRule,
    policy: Policy,
    state: AlertState | None,
    found: tuple[Mapping[str, str], Condition] | None,
    now: datetime,
) -> AlertState | None:
    """Bring one alert up to what the snapshot says; None if there is none."""
    if found is None:
        return None if state is None else replace(state, phase=Phase.RESOLVED, ends_at=now)
    labels, condition = found
    if not condition.holds:
        return state  # The snapshot cannot tell.
    if state is None:
        return _begun(rule, policy, labels, condition, now)
    return replace(
        state,
        annotations=_annotations(rule, condition),
        starts_at=min(state.starts_at, condition.since or state.starts_at),
    )


def _begun(
    rule: AlertRule,
    policy: Policy,
    labels: Mapping[str, str],
    condition: Condition,
    now: datetime,
) -> AlertState:
    return AlertState(
        name=rule.name,
        labels=labels,
        annotations=_annotations(rule, condition),
        severity=policy.severity,
        phase=Phase.PENDING,
        starts_at=condition.since or now,
        pending_since=now,
    )


def _decided(
    state: AlertState, policy: Policy, now: datetime, *, others: int
) -> tuple[AlertState, AlertChange | None]:
    """Decide whether to tell, and why."""
    reason = _reason(state, policy, now, others=others)
    silence = policy.silenced(state.labels)
    if reason is Reason.REPEAT and silence is not None:
        reason = Reason.NOTHING
    state = replace(state, reason=reason)
    if reason in (Reason.FIRST, Reason.NEW) and state.phase is Phase.PENDING:
        state = replace(state, phase=Phase.FIRING, fired_at=now)
    if reason is Reason.NOTHING:
        return state, None
    unheard = reason is Reason.RESOLVED and state.told_at is None
    if silence is not None or unheard:
        # Who has not heard that it fired need not hear that it is over.
        silence = silence or "nobody was told that it fired"
    else:
        state = replace(state, told_at=now)
    return state, AlertChange(
        id=policy.new_id(),
        name=state.name,
        labels=state.labels,
        annotations=state.annotations,
        severity=state.severity,
        firing=state.phase is not Phase.RESOLVED,
        reason=reason,
        starts_at=state.starts_at,
        ends_at=state.ends_at,
        at=now,
        silence=silence,
    )


def _reason(state: AlertState, policy: Policy, now: datetime, *, others: int) -> Reason:
    if state.phase is Phase.RESOLVED:
        return Reason.NOTHING if state.fired_at is None else Reason.RESOLVED
    if state.phase is Phase.PENDING:
        if now - state.pending_since < policy.hold:
            return Reason.NOTHING
        return Reason.NEW if others else Reason.FIRST
    if state.told_at is None:
        # It was silenced when it began; NEW only once nothing silences it any more.
        return Reason.NEW if policy.silenced(state.labels) is None else Reason.NOTHING
    return Reason.REPEAT if now - state.told_at >= policy.remind_every else Reason.NOTHING


def _annotations(rule: AlertRule, condition: Condition) -> dict[str, str]:
    return {
        "summary": condition.summary,
        "description": condition.description,
        "runbook_url": runbook(rule.name),
        **condition.more,
    }
