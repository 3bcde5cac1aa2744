"""Whose turn it is: which path is due, which daemon drills it, and what time changes by itself."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import evaluated, turns_at
from supervisor.coverage.risk import rate
from supervisor.store.paths import change, is_path, record_of, verdicts_of
from supervisor.store.records import Home, Transition, Turn
from supervisor.store.tables import (
    AnyRow,
    alert_changes,
    alerts,
    deliveries,
    heartbeats,
    paths,
    verdicts,
)

MOST_TURNING = 1_000
"""State changes by time that are written in one transaction."""

LONGEST_PAUSE = timedelta(hours=1)
"""Between two tries of a delivery."""

# When a path is due, late and stale follows from these with the next ``sync``.
_HAPPENED = (
    paths.c.since,
    paths.c.known_since,
    paths.c.passed_at,
    paths.c.full_since,
    verdicts.c.tried_at,
    verdicts.c.at,
    heartbeats.c.known_since,
    heartbeats.c.last_at,
    alerts.c.starts_at,
    alerts.c.pending_since,
    alerts.c.fired_at,
    alerts.c.told_at,
    alert_changes.c.at,
    deliveries.c.ended_at,
)


def due(connection: Connection, home: Home, now: datetime) -> Turn | None:
    """Find the most urgent path of what is due; None if nothing is."""
    turns = [_turn(row) for row in connection.execute(_urgent(home, now))]
    return max(turns, key=lambda turn: _urgency(turn, now), default=None)


def claim(connection: Connection, home: Home, now: datetime, lease_s: float) -> Turn | None:
    """Take the most urgent path that is due and that no other daemon drills, for *lease_s*.

    Returns:
        None if nothing is due, or all of it is taken.
    """
    query = _urgent(home, now, free_for=home.daemon)
    rows = connection.execute(query.with_for_update(skip_locked=True, of=paths)).all()
    turns = {row.number: _turn(row) for row in rows}
    if not turns:
        return None
    number = max(turns, key=lambda number: _urgency(turns[number], now))
    until = now + timedelta(seconds=lease_s)
    # Once more: PostgreSQL locks a row as it is now, but chose it as it was.
    claimed = connection.execute(
        update(paths)
        .where(
            paths.c.number == number,
            paths.c.version == turns[number].version,
            _free(paths, home.daemon, now),
        )
        .values(claimed_by=home.daemon, claimed_until=until)
    )
    return turns[number] if claimed.rowcount else None


def renew(connection: Connection, home: Home, path: FallbackPath, until: datetime) -> bool:
    """Hold a path longer; False where another daemon has taken it meanwhile."""
    changed = connection.execute(
        update(paths)
        .where(is_path(home.gateway, path), paths.c.claimed_by == home.daemon)
        .values(claimed_until=until)
    )
    return changed.rowcount > 0


def let_go(
    connection: Connection, home: Home, path: FallbackPath, due_at: datetime | None = None
) -> None:
    """Hold a path no longer, and look at it again at *due_at*."""
    values: dict[str, Any] = {"claimed_by": None, "claimed_until": None}
    if due_at is not None:
        values["due_at"] = due_at
    mine = or_(paths.c.claimed_by.is_(None), paths.c.claimed_by == home.daemon)
    connection.execute(update(paths).where(is_path(home.gateway, path), mine).values(**values))


def next_due(connection: Connection, gateway: str) -> datetime | None:
    """Say when the next path is due, or was."""
    query = select(func.min(paths.c.due_at))
    at: datetime | None = connection.scalar(
        query.where(paths.c.gateway == gateway, paths.c.rate.is_not(None))
    )
    return at


def turn(connection: Connection, now: datetime, gateway: str) -> list[Transition]:
    """Change the states that time changes, and note when each became true."""
    query = (
        select(paths)
        .where(paths.c.gateway == gateway, paths.c.turns_at <= now, paths.c.rate.is_not(None))
        .order_by(paths.c.turns_at)
        .limit(MOST_TURNING)
        .with_for_update()
    )
    noticed = []
    for row in connection.execute(query).all():
        known = verdicts_of(connection, row.number)
        while (at := turns_at(record_of(row), known.values())) is not None and at <= now:
            changed = change(
                connection, row, evaluated(record_of(row), known.values(), at), known, now
            )
            if changed is None:
                connection.execute(
                    update(paths).where(paths.c.number == row.number).values(turns_at=None)
                )
                break
            noticed.append(changed)
            row = connection.execute(select(paths).where(paths.c.number == row.number)).one()  # noqa: PLW2901 -- as it is now
    return noticed


def bring_back(connection: Connection, now: datetime, *, pauses: bool) -> None:
    """Let nothing have happened later than *now*, where a clock was set back.

    Whatever waits, waits from when something has happened. Left ahead, a pass would hold, and an
    alert would be taken for just told, for as long as the clock was wrong.

    Args:
        pauses: What waits to be told is due at once. Otherwise a receiver that has asked to be
            left alone is, for the hour that it may ask for at most.
    """
    for column in _HAPPENED:
        connection.execute(update(column.table).where(column > now).values({column.name: now}))
    longest = timedelta(0) if pauses else LONGEST_PAUSE
    due_at = deliveries.c.due_at
    connection.execute(update(deliveries).where(due_at > now + longest).values({due_at.name: now}))


def _urgent(home: Home, now: datetime, *, free_for: str | None = None) -> Select[Any]:
    """Name the path that is due longest for each rate of risk.

    The risk of a path grows evenly from when it is due, so the most urgent of all is the most
    urgent of these; and each is one look into an index, however many paths there are.
    """
    active = and_(paths.c.gateway == home.gateway, paths.c.rate.is_not(None))
    rates = select(func.min(paths.c.rate).label("rate")).where(active).cte("rates", recursive=True)
    above = paths.alias("above")
    following = (
        select(func.min(above.c.rate))
        .where(above.c.gateway == home.gateway, above.c.rate > rates.c.rate)
        .scalar_subquery()
    )
    rates = rates.union_all(select(following).where(rates.c.rate.is_not(None)))
    first = paths.alias("first")
    free = [] if free_for is None else [_free(first, free_for, now)]
    earliest = (
        select(first.c.number)
        .where(
            first.c.gateway == home.gateway,
            first.c.rate == rates.c.rate,
            first.c.due_at <= now,
            *free,
        )
        .order_by(first.c.due_at, first.c.number)
        .limit(1)
        .correlate(rates)
        .scalar_subquery()
    )
    return select(paths).where(paths.c.number.in_(select(earliest).select_from(rates)))


def _free(table: Any, daemon: str, now: datetime) -> ColumnElement[bool]:
    return or_(
        table.c.claimed_until.is_(None),
        table.c.claimed_until <= now,
        table.c.claimed_by == daemon,
    )


def _urgency(turn: Turn, now: datetime) -> tuple[float, float, str]:
    """Order turns; equal risks by weight, and then by their paths, so that it is no chance."""
    return (turn.risk(now), rate(turn.record), str(turn.record.path))


def _turn(row: AnyRow) -> Turn:
    return Turn(record_of(row), row.version)
