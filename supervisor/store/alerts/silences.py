"""Silences: alerts of which nobody is told for a while."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from supervisor.store.alerts.records import Silence
from supervisor.store.evidence import clean
from supervisor.store.records import Home
from supervisor.store.tables import silences

MOST_CHARACTERS = 2_000


def silence(
    connection: Connection,
    home: Home,
    matchers: Mapping[str, str],
    reason: str,
    until: datetime,
    now: datetime,
) -> Silence:
    """Begin a silence."""
    kept = {clean(label, 200): clean(pattern, 200) for label, pattern in matchers.items()}
    text = clean(reason, MOST_CHARACTERS)
    done = connection.execute(
        insert(silences).values(
            daemon=home.daemon, matchers=kept, reason=text, since=now, until=until
        )
    )
    number = done.inserted_primary_key[0] if done.inserted_primary_key else 0
    return Silence(number, kept, text, now, until)


def end_silence(connection: Connection, home: Home, number: int, now: datetime) -> bool:
    """End a silence before its time; False if there is none of this number."""
    done = connection.execute(
        update(silences)
        .where(
            silences.c.daemon == home.daemon,
            silences.c.number == number,
            silences.c.ended_at.is_(None),
            silences.c.until > now,
        )
        .values(ended_at=now)
    )
    return done.rowcount > 0


def silences_of(connection: Connection, home: Home, now: datetime) -> tuple[Silence, ...]:
    """List the silences that hold."""
    rows = connection.execute(
        select(silences)
        .where(
            silences.c.daemon == home.daemon,
            silences.c.ended_at.is_(None),
            silences.c.until > now,
        )
        .order_by(silences.c.number)
    )
    return tuple(
        Silence(row.number, row.matchers, row.reason, row.since, row.until) for row in rows
    )
