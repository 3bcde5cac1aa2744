"""What is old goes; what the ledger still rests on stays, however old.

Kept by count first: the last verdicts of every path, then every failure for a time; the roll-up
by day stays for ever. Everything is deleted in small steps, each a transaction, so that nobody
waits for long.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, or_, select

from chaos.judge.verdict import Outcome
from supervisor.store import watched
from supervisor.store.alerts import changes
from supervisor.store.engines import benchmarks, rollouts
from supervisor.store.tables import (
    campaigns,
    drills,
    evidence,
    halts,
    refusals,
    reservations,
    spent,
    transitions,
    verdicts,
)

STEP_ROWS = 500
KEEP_TRANSITIONS = 100
"""Changes of each path that are kept, however old."""

KEEP_PART_CHANGES = 500
"""Changes of each watched part that are kept, however old."""

KEEP_ALERT_CHANGES = 5_000
"""Changes of alerts of each daemon that are kept; those that wait to be told are never deleted."""

KEEP_BENCHMARKS = 500
"""Benchmarks of each engine that are kept, however old."""

KEEP_ROLLOUTS = 200
"""Swaps of engines of each daemon that are kept, however old."""

KEEP_RESOLVED = timedelta(days=30)
KEEP_DAYS = 400
"""Days for which budgets and refusals are kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept.

    Attributes:
        verdicts: Of each path the last so many drills.
        failures: Failed drills, with their evidence, for so long.
        evidence: Of drills that did not fail, for so long.
    """

    verdicts: int = 100
    failures: timedelta = timedelta(days=90)
    evidence: timedelta = timedelta(days=2)


def check(connection: Connection) -> tuple[str, ...]:
    """Look for damage, and for records that lead nowhere; nothing if all is well."""
    problems: list[str] = []
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
        problems += [str(line) for line in found if line != "ok"]
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        problems += [
            f"a row of {row[0]} refers to a row of {row[2]} that is gone" for row in broken
        ]
    return tuple(problems)


def quick_check(connection: Connection) -> tuple[str, ...]:
    """Look for damage that shows at once, as every start does."""
    if connection.dialect.name != "sqlite":
        return ()
    found = connection.exec_driver_sql("PRAGMA quick_check(10)").scalars()
    return tuple(str(line) for line in found if line != "ok")


def vacuum(connection: Connection) -> None:
    """Give free pages back to the disk."""
    connection.exec_driver_sql("VACUUM")


def step(connection: Connection, limits: Limits, now: datetime) -> int:
    """Delete some of what may go.

    Returns:
        How many rows went; call again until it is 0.
    """
    return (
        _drills(connection, limits, now)
        + _evidence(connection, limits, now)
        + _transitions(connection)
        + watched.thin_changes(connection, KEEP_PART_CHANGES, STEP_ROWS)
        + changes.thin(connection, KEEP_ALERT_CHANGES, KEEP_RESOLVED, STEP_ROWS, now)
        + benchmarks.thin(connection, KEEP_BENCHMARKS, STEP_ROWS)
        + rollouts.thin(connection, KEEP_ROLLOUTS)
        + _campaigns(connection)
        + _days(connection, now)
    )


def _drills(connection: Connection, limits: Limits, now: datetime) -> int:
    """Delete drills beyond the last of each path, but for young failures.

    The drill behind a verdict that stands is kept, however many came after it.
    """
    crowded = connection.execute(
        select(drills.c.path)
        .group_by(drills.c.path)
        .having(func.count() > limits.verdicts)
        .order_by(drills.c.path)
    ).scalars()
    gone = 0
    for path in crowded.all():
        last = connection.scalar(
            select(drills.c.number)
            .where(drills.c.path == path)
            .order_by(drills.c.number.desc())
            .offset(limits.verdicts - 1)
            .limit(1)
        )
        standing = select(verdicts.c.drill).where(
            verdicts.c.path == path, verdicts.c.drill.is_not(None)
        )
        old = (
            select(drills.c.number)
            .where(
                drills.c.path == path,
                drills.c.number < last,
                drills.c.id.not_in(standing),
                or_(
                    drills.c.outcome != Outcome.FAILED.value,
                    drills.c.ended_at < now - limits.failures,
                ),
            )
            .limit(STEP_ROWS - gone)
        )
        numbers = connection.scalars(old).all()
        connection.execute(delete(evidence).where(evidence.c.drill.in_(numbers)))
        gone += connection.execute(delete(drills).where(drills.c.number.in_(numbers))).rowcount
        if gone >= STEP_ROWS:
            break
    return gone


def _evidence(connection: Connection, limits: Limits, now: datetime) -> int:
    old = (
        select(evidence.c.drill)
        .where(
            or_(
                and_(evidence.c.passed, evidence.c.ended_at < now - limits.evidence),
                evidence.c.ended_at < now - max(limits.evidence, limits.failures),
            )
        )
        .limit(STEP_ROWS)
    )
    numbers = connection.scalars(old).all()
    return connection.execute(delete(evidence).where(evidence.c.drill.in_(numbers))).rowcount


def _transitions(connection: Connection) -> int:
    crowded = connection.scalars(
        select(transitions.c.path)
        .group_by(transitions.c.path)
        .having(func.count() > KEEP_TRANSITIONS)
    ).all()
    gone = 0
    for path in crowded:
        last = connection.scalar(
            select(transitions.c.number)
            .where(transitions.c.path == path)
            .order_by(transitions.c.number.desc())
            .offset(KEEP_TRANSITIONS - 1)
            .limit(1)
        )
        gone += connection.execute(
            delete(transitions).where(transitions.c.path == path, transitions.c.number < last)
        ).rowcount
    return gone


def _campaigns(connection: Connection) -> int:
    """Delete campaigns of which no drill is left."""
    used = select(drills.c.campaign).where(drills.c.campaign.is_not(None))
    old = (
        select(campaigns.c.id)
        .where(campaigns.c.ended_at.is_not(None), campaigns.c.id.not_in(used))
        .order_by(campaigns.c.started_at.desc())
        .offset(STEP_ROWS)
    )
    ids = connection.scalars(old).all()
    return connection.execute(delete(campaigns).where(campaigns.c.id.in_(ids))).rowcount


def _days(connection: Connection, now: datetime) -> int:
    day = (now - timedelta(days=KEEP_DAYS)).date().isoformat()
    gone = sum(
        connection.execute(delete(table).where(table.c.day < day)).rowcount
        for table in (spent, reservations, refusals)
    )
    old = halts.c.ended_at < now - timedelta(days=KEEP_DAYS)
    return gone + connection.execute(delete(halts).where(old)).rowcount
