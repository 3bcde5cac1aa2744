"""Halts: nothing is drilled while one holds; they survive restarts."""

from datetime import datetime

from sqlalchemy import Connection, and_, insert, or_, select, update

from supervisor.store.evidence import clean
from supervisor.store.records import Halt
from supervisor.store.tables import halts

MOST_CHARACTERS = 2_000


def halt(connection: Connection, begun: Halt) -> None:
    """Begin a halt, in place of an earlier one for the same daemons."""
    resume(connection, begun.daemon, begun.since)
    connection.execute(
        insert(halts).values(
            daemon=begun.daemon,
            reason=clean(begun.reason, MOST_CHARACTERS),
            since=begun.since,
            until=begun.until,
        )
    )


def resume(connection: Connection, daemon: str | None, now: datetime) -> bool:
    """End the halts of *daemon*; those of all daemons, if None.

    Returns:
        False if there was none.
    """
    same = halts.c.daemon.is_(None) if daemon is None else halts.c.daemon == daemon
    changed = connection.execute(
        update(halts).where(halts.c.ended_at.is_(None), same).values(ended_at=now)
    )
    return changed.rowcount > 0


def halted(connection: Connection, daemon: str, now: datetime) -> Halt | None:
    """Find the halt that holds for *daemon* now; the one that ends last, if there are several."""
    query = select(halts).where(
        and_(
            halts.c.ended_at.is_(None),
            or_(halts.c.daemon.is_(None), halts.c.daemon == daemon),
            or_(halts.c.until.is_(None), halts.c.until > now),
        )
    )
    rows = connection.execute(query).all()
    found = [Halt(row.reason, row.since, row.until, row.daemon) for row in rows]
    return max(found, key=lambda one: (one.until is None, one.until or now), default=None)
