"""Campaigns: drills that somebody asked for, together."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from supervisor.store.evidence import keepable
from supervisor.store.records import Home
from supervisor.store.tables import campaigns


def begin(
    connection: Connection, home: Home, name: str, asked_for: Any, planned: int, at: datetime
) -> None:
    """Write that a campaign begins."""
    connection.execute(
        insert(campaigns).values(
            id=name,
            daemon=home.daemon,
            gateway=home.gateway,
            asked_for=keepable(asked_for),
            planned=planned,
            started_at=at,
            stopped=False,
        )
    )


def end(connection: Connection, name: str, at: datetime, *, stopped: bool) -> None:
    """Write that it has ended."""
    connection.execute(
        update(campaigns).where(campaigns.c.id == name).values(ended_at=at, stopped=stopped)
    )


def end_all(connection: Connection, home: Home, at: datetime) -> int:
    """End what a killed daemon of this name has left running; tells how many there were."""
    return connection.execute(
        update(campaigns)
        .where(campaigns.c.daemon == home.daemon, campaigns.c.ended_at.is_(None))
        .values(ended_at=at, stopped=True)
    ).rowcount
