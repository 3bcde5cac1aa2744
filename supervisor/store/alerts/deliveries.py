"""The outbox: each change for each notifier, until it was taken or is given up."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from supervisor.store.alerts.records import (
    AlertChange,
    Delivery,
    DeliveryState,
    NotifierRecord,
    Reason,
    Severity,
)
from supervisor.store.evidence import clean
from supervisor.store.records import Home
from supervisor.store.tables import AnyRow, alert_changes, deliveries

MOST_CHARACTERS = 2_000


def next_delivery(
    connection: Connection, home: Home, notifier: str, now: datetime
) -> Delivery | None:
    """Find what *notifier* is to be told next: the oldest that is due.

    Of one alert everything is told in its order: its end must not overtake its beginning.
    """
    earlier, earlier_change = deliveries.alias(), alert_changes.alias()
    overtakes = (
        select(earlier.c.change)
        .join_from(earlier, earlier_change)
        .where(
            earlier.c.notifier == notifier,
            earlier.c.state == DeliveryState.WAITING.value,
            earlier.c.change < deliveries.c.change,
            earlier_change.c.daemon == home.daemon,
            earlier_change.c.fingerprint == alert_changes.c.fingerprint,
        )
        .exists()
    )
    query = (
        _deliveries()
        .where(
            deliveries.c.daemon == home.daemon,
            deliveries.c.notifier == notifier,
            deliveries.c.state == DeliveryState.WAITING.value,
            deliveries.c.due_at <= now,
            ~overtakes,
        )
        .order_by(deliveries.c.change)
        .limit(1)
    )
    row = connection.execute(query).first()
    return _delivery(row) if row is not None else None


def next_due_at(connection: Connection, home: Home, notifier: str) -> datetime | None:
    """Say when the next delivery to *notifier* is due, or was."""
    found: datetime | None = connection.scalar(
        select(func.min(deliveries.c.due_at)).where(
            deliveries.c.daemon == home.daemon,
            deliveries.c.notifier == notifier,
            deliveries.c.state == DeliveryState.WAITING.value,
        )
    )
    return found


def end_delivery(
    connection: Connection, one: Delivery, *, taken: bool, result: str, detail: str, now: datetime
) -> None:
    """Write that a delivery was taken, or is given up."""
    state = DeliveryState.TAKEN if taken else DeliveryState.DEAD
    _change(
        connection,
        one,
        state=state.value,
        tries=one.tries + 1,
        ended_at=now,
        result=result,
        detail=clean(detail, MOST_CHARACTERS),
    )


def postpone(
    connection: Connection, one: Delivery, *, result: str, detail: str, due_at: datetime
) -> None:
    """Write that a delivery is to be tried again at *due_at*."""
    _change(
        connection,
        one,
        tries=one.tries + 1,
        due_at=due_at,
        result=result,
        detail=clean(detail, MOST_CHARACTERS),
    )


def _change(connection: Connection, one: Delivery, **values: Any) -> None:
    connection.execute(
        update(deliveries)
        .where(deliveries.c.change == one.number, deliveries.c.notifier == one.notifier)
        .values(**values)
    )


def end_unknown(connection: Connection, home: Home, known: Sequence[str], now: datetime) -> int:
    """Give up what waits for notifiers that the settings name no more."""
    done = connection.execute(
        update(deliveries)
        .where(
            deliveries.c.daemon == home.daemon,
            deliveries.c.notifier.not_in(known),
            deliveries.c.state == DeliveryState.WAITING.value,
        )
        .values(
            state=DeliveryState.DEAD.value,
            ended_at=now,
            detail="the configuration no longer names this notifier",
        )
    )
    return done.rowcount


def notifier_records(connection: Connection, home: Home) -> dict[str, NotifierRecord]:
    """Say how deliveries to each notifier go."""
    counted = connection.execute(
        select(deliveries.c.notifier, deliveries.c.state, func.count().label("many"))
        .where(deliveries.c.daemon == home.daemon)
        .group_by(deliveries.c.notifier, deliveries.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for row in counted:
        found.setdefault(row.notifier, {})[row.state] = row.many
    return {name: _record(connection, home, name, counts) for name, counts in found.items()}


def _record(
    connection: Connection, home: Home, name: str, counts: Mapping[str, int]
) -> NotifierRecord:
    own = and_(deliveries.c.daemon == home.daemon, deliveries.c.notifier == name)
    last = connection.execute(
        select(deliveries.c.result, deliveries.c.detail, deliveries.c.ended_at)
        .where(own, deliveries.c.result.is_not(None))
        .order_by(
            func.coalesce(deliveries.c.ended_at, deliveries.c.due_at).desc(),
            deliveries.c.change.desc(),
        )
        .limit(1)
    ).first()
    oldest = connection.execute(
        select(alert_changes.c.at, deliveries.c.tries)
        .join_from(deliveries, alert_changes)
        .where(own, deliveries.c.state == DeliveryState.WAITING.value)
        .order_by(deliveries.c.change)
        .limit(1)
    ).first()
    taken_at = connection.scalar(
        select(func.max(deliveries.c.ended_at)).where(
            own, deliveries.c.state == DeliveryState.TAKEN.value
        )
    )
    return NotifierRecord(
        name,
        waiting=counts.get(DeliveryState.WAITING.value, 0),
        dead=counts.get(DeliveryState.DEAD.value, 0),
        last_result=last.result if last else None,
        last_detail=last.detail if last else "",
        last_at=last.ended_at if last else None,
        last_taken_at=taken_at,
        waiting_since=oldest.at if oldest else None,
        tries=oldest.tries if oldest else 0,
    )


def deliveries_of(
    connection: Connection, numbers: Sequence[int]
) -> dict[int, tuple[Delivery, ...]]:
    """Read the deliveries of some changes, by the change's number."""
    found: dict[int, tuple[Delivery, ...]] = {}
    for row in connection.execute(
        _deliveries().where(deliveries.c.change.in_(numbers)).order_by(deliveries.c.notifier)
    ):
        found[row.number] = (*found.get(row.number, ()), _delivery(row))
    return found


def _deliveries() -> Any:
    return select(
        alert_changes,
        deliveries.c.notifier,
        deliveries.c.state,
        deliveries.c.tries,
        deliveries.c.due_at,
        deliveries.c.ended_at,
        deliveries.c.result,
        deliveries.c.detail,
    ).join_from(deliveries, alert_changes)


def _delivery(row: AnyRow) -> Delivery:
    return Delivery(
        row.number,
        row.notifier,
        change_of(row),
        DeliveryState(row.state),
        row.tries,
        row.due_at,
        row.ended_at,
        row.result,
        row.detail,
    )


def change_of(row: AnyRow) -> AlertChange:
    """Read what was to be told."""
    return AlertChange(
        id=row.id,
        name=row.name,
        labels=row.labels,
        annotations=row.annotations,
        severity=Severity(row.severity),
        firing=row.firing,
        reason=Reason(row.reason),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        at=row.at,
        silence=row.silence,
    )
