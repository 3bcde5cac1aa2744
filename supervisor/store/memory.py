"""Small things that a restart must not forget: single values, refusals, who is alive."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, select, update

from supervisor.store.evidence import clean, keepable
from supervisor.store.records import Home, KnownDaemon, Refused
from supervisor.store.tables import daemons, memories, refusals


def remember(connection: Connection, home: Home, name: str, value: Any, at: datetime) -> None:
    """Keep *value*, as JSON, under *name*."""
    _put(connection, memories, {"daemon": home.daemon, "name": name}, value=keepable(value), at=at)


def recall(connection: Connection, home: Home, name: str) -> Any:
    """Read what is kept under *name*; None if nothing is."""
    return connection.scalar(
        select(memories.c.value).where(memories.c.daemon == home.daemon, memories.c.name == name)
    )


def count_refusal(
    connection: Connection, home: Home, kind: str, reason: str, now: datetime
) -> None:
    """Count a drill that was due and was refused."""
    key = {"day": now.date().isoformat(), "daemon": home.daemon, "kind": kind}
    same = _is(refusals, key)
    values = {"last_at": now, "reason": clean(reason, 500)}
    changed = connection.execute(
        update(refusals).where(same).values(count=refusals.c.count + 1, **values)
    )
    if not changed.rowcount:
        connection.execute(insert(refusals).values(**key, count=1, **values))


def refused(connection: Connection, home: Home, day: str) -> tuple[Refused, ...]:
    """List what was refused on *day*, the most frequent first."""
    query = (
        select(refusals)
        .where(refusals.c.day == day, refusals.c.daemon == home.daemon)
        .order_by(refusals.c.count.desc(), refusals.c.kind)
    )
    rows = connection.execute(query)
    return tuple(
        Refused(row.kind, row._mapping["count"], row.last_at, row.reason)  # noqa: SLF001 -- public
        for row in rows
    )


def sign_in(
    connection: Connection, home: Home, *, version: str, started_at: datetime, now: datetime
) -> None:
    """Note that a daemon is alive."""
    _put(
        connection,
        daemons,
        {"name": home.daemon},
        gateway=home.gateway,
        version=version,
        started_at=started_at,
        seen_at=now,
    )


def known_daemons(connection: Connection) -> tuple[KnownDaemon, ...]:
    """List the daemons that have used this store."""
    rows = connection.execute(select(daemons).order_by(daemons.c.name))
    return tuple(
        KnownDaemon(row.name, row.gateway, row.version, row.started_at, row.seen_at) for row in rows
    )


def _is(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _put(connection: Connection, table: Table, key: Mapping[str, Any], **values: Any) -> None:
    """Write one row, in place of the one that has its key."""
    changed = connection.execute(update(table).where(_is(table, key)).values(**values))
    if not changed.rowcount:
        connection.execute(insert(table).values(**key, **values))
