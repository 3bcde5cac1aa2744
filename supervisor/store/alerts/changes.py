"""How alerts stand, and everything that was to be told of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, select, update

from supervisor.store.alerts.deliveries import change_of, deliveries_of
from supervisor.store.alerts.records import (
    AlertChange,
    AlertState,
    DeliveryState,
    Phase,
    Reason,
    Severity,
    Told,
)
from supervisor.store.evidence import keepable
from supervisor.store.records import Home
from supervisor.store.tables import AnyRow, alert_changes, alerts, deliveries, silences


def alert_states(connection: Connection, home: Home) -> tuple[AlertState, ...]:
    """Read every alert that is pending or fires."""
    rows = connection.execute(
        select(alerts).where(alerts.c.daemon == home.daemon, alerts.c.phase != Phase.RESOLVED.value)
    )
    return tuple(map(_state, rows))


def write_alerts(
    connection: Connection,
    home: Home,
    states: Sequence[AlertState],
    changes: Sequence[tuple[AlertChange, Sequence[str]]],
    now: datetime,
) -> None:
    """Write how alerts stand and what is to be told, all or nothing.

    Args:
        changes: Each with the names of the notifiers that are to tell it.
    """
    for state in states:
        _put(connection, home, state)
    for change, notifiers in changes:
        done = connection.execute(
            insert(alert_changes).values(
                id=change.id,
                daemon=home.daemon,
                fingerprint=change.fingerprint,
                name=change.name,
                labels=keepable(dict(change.labels)),
                annotations=keepable(dict(change.annotations)),
                severity=change.severity.value,
                firing=change.firing,
                reason=change.reason.value,
                starts_at=change.starts_at,
                ends_at=change.ends_at,
                at=change.at,
                silence=change.silence,
            )
        )
        number = done.inserted_primary_key[0] if done.inserted_primary_key else None
        for notifier in notifiers:
            connection.execute(
                insert(deliveries).values(
                    change=number,
                    notifier=notifier,
                    daemon=home.daemon,
                    state=DeliveryState.WAITING.value,
                    tries=0,
                    due_at=now,
                    detail="",
                )
            )


def _put(connection: Connection, home: Home, state: AlertState) -> None:
    same = and_(alerts.c.daemon == home.daemon, alerts.c.fingerprint == state.fingerprint)
    values = {
        "name": state.name,
        "labels": keepable(dict(state.labels)),
        "annotations": keepable(dict(state.annotations)),
        "severity": state.severity.value,
        "phase": state.phase.value,
        "starts_at": state.starts_at,
        "pending_since": state.pending_since,
        "fired_at": state.fired_at,
        "ends_at": state.ends_at,
        "told_at": state.told_at,
        "reason": state.reason.value,
    }
    if not connection.execute(update(alerts).where(same).values(**values)).rowcount:
        connection.execute(
            insert(alerts).values(daemon=home.daemon, fingerprint=state.fingerprint, **values)
        )


def told(connection: Connection, home: Home, limit: int) -> tuple[Told, ...]:
    """List what was told, newest first, with its deliveries; reminders are left out.

    The alert that always fires is told again four times an hour, and would soon be all there is.
    """
    rows = connection.execute(
        select(alert_changes)
        .where(
            alert_changes.c.daemon == home.daemon,
            alert_changes.c.reason != Reason.REPEAT.value,
        )
        .order_by(alert_changes.c.number.desc())
        .limit(limit)
    ).all()
    numbers = [row.number for row in rows]
    found = deliveries_of(connection, numbers)
    return tuple(Told(change_of(row), found.get(row.number, ())) for row in rows)


def thin(connection: Connection, keep: int, resolved: timedelta, most: int, now: datetime) -> int:
    """Delete old changes of which nothing waits, alerts long resolved, and silences long over."""
    gone = 0
    for daemon in connection.scalars(select(alert_changes.c.daemon).distinct()).all():
        own = alert_changes.c.daemon == daemon
        last = connection.scalar(
            select(alert_changes.c.number)
            .where(own)
            .order_by(alert_changes.c.number.desc())
            .offset(keep - 1)
            .limit(1)
        )
        if last is None:
            continue
        waiting = select(deliveries.c.change).where(
            deliveries.c.state == DeliveryState.WAITING.value
        )
        old = (
            select(alert_changes.c.number)
            .where(own, alert_changes.c.number < last, alert_changes.c.number.not_in(waiting))
            .limit(most - gone)
        )
        numbers = connection.scalars(old).all()
        connection.execute(delete(deliveries).where(deliveries.c.change.in_(numbers)))
        gone += connection.execute(
            delete(alert_changes).where(alert_changes.c.number.in_(numbers))
        ).rowcount
    gone += connection.execute(delete(alerts).where(alerts.c.ends_at < now - resolved)).rowcount
    gone += connection.execute(delete(silences).where(silences.c.until < now - resolved)).rowcount
    return gone


def _state(row: AnyRow) -> AlertState:
    return AlertState(
        name=row.name,
        labels=row.labels,
        annotations=row.annotations,
        severity=Severity(row.severity),
        phase=Phase(row.phase),
        starts_at=row.starts_at,
        pending_since=row.pending_since,
        fired_at=row.fired_at,
        ends_at=row.ends_at,
        told_at=row.told_at,
        reason=Reason(row.reason),
    )
