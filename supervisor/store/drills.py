"""Drills that have ended: written once, with everything that follows from them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Select, func, insert, select, update

from chaos.drill.report import DrillRow, is_routed
from chaos.judge.verdict import Outcome
from supervisor.coverage.ledger import Ended, FaultVerdict, after_drill
from supervisor.store import budgets
from supervisor.store import paths as ledger
from supervisor.store.errors import StoreError
from supervisor.store.evidence import cleaned, keepable
from supervisor.store.records import DrillEntry, DrillFilter, Home, StoredDrill, Transition
from supervisor.store.tables import NANO, AnyRow, drills, evidence, paths

MOST_DRILLS = 1_000
"""In one page."""

_COLUMNS = (
    drills.c.row,
    drills.c.daemon,
    drills.c.gateway,
    drills.c.ended_at,
    drills.c.campaign,
    drills.c.requests,
    drills.c.tokens,
    drills.c.cost_nano_usd,
    paths.c.model_group,
    paths.c.trigger,
    paths.c.hop,
    paths.c.surface,
    paths.c.shape,
    paths.c.stream,
)


def add(connection: Connection, home: Home, entry: DrillEntry, now: datetime) -> Transition | None:
    """Write a drill, its evidence, what is known of its path, and the day's count.

    A drill that is there already is judged anew: its row takes the place of the old one.

    Returns:
        The change of the path's state, if it changed.
    """
    path = ledger.find(connection, home, entry.path)
    if path is None:
        path = ledger.add_unrehearsed(connection, home, entry.path, now)
    before = connection.execute(
        select(drills.c.number, drills.c.outcome).where(drills.c.id == entry.row.id)
    ).one_or_none()
    number = _put(connection, home, entry, path.number, before)
    _put_evidence(connection, entry, number)
    day = entry.ended_at.date().isoformat()
    if before is None:
        budgets.settle(connection, entry.row.id, entry.ended_at.date(), entry.used)
    else:
        ledger.count_drill(connection, path.number, day, Outcome(before.outcome), -1)
    ledger.count_drill(connection, path.number, day, entry.row.outcome, 1)
    return _follow(connection, entry, path, now)


def _follow(
    connection: Connection, entry: DrillEntry, path: AnyRow, now: datetime
) -> Transition | None:
    """Bring the path's record up to the drill."""
    row = entry.row
    if entry.faults is not None:
        ledger.forget_faults(connection, path.number, entry.faults)
    known = ledger.verdicts_of(connection, path.number)
    for fault in entry.faults or ():
        known.setdefault(fault, FaultVerdict(fault))
    record, verdict = after_drill(
        ledger.record_of(path),
        known,
        Ended(
            drill=row.id,
            fault=row.scenario.fault,
            outcome=row.outcome,
            at=entry.ended_at,
            kind=None if row.kind is None else row.kind.value,
            known_gap=row.known_gap,
            accepted_until=entry.accepted_until,
            stand_in=is_routed(row),
            partial=entry.partial,
            twin=row.injector == "twin",
        ),
    )
    ledger.put_verdict(connection, path.number, verdict)
    known[verdict.fault] = verdict
    return ledger.change(connection, path, record, known, now, row.id)


def _put(
    connection: Connection,
    home: Home,
    entry: DrillEntry,
    path: int,
    before: AnyRow | None,
) -> int:
    row = entry.row
    values = {
        "daemon": home.daemon,
        "gateway": home.gateway,
        "campaign": entry.campaign,
        "path": path,
        "scenario": row.scenario.key,
        "fault": row.scenario.fault,
        "outcome": row.outcome.value,
        "kind": None if row.kind is None else row.kind.value,
        "known_gap": row.known_gap,
        "injector": row.injector,
        "stand_in": is_routed(row),
        "partial": entry.partial,
        "started_at": row.started_at,
        "ended_at": entry.ended_at,
        "took_s": max(0.0, (entry.ended_at - row.started_at).total_seconds()),
        "requests": entry.requests,
        "tokens": entry.tokens,
        "cost_nano_usd": round(entry.cost_usd * NANO),
        "row": cleaned(row.model_dump(mode="json")),
    }
    if before is not None:
        connection.execute(update(drills).where(drills.c.number == before.number).values(values))
        return int(before.number)
    added = connection.execute(insert(drills).values(id=row.id, **values))
    (number,) = added.inserted_primary_key or (0,)
    return int(number)


def _put_evidence(connection: Connection, entry: DrillEntry, number: int) -> None:
    if entry.seen is None:
        return
    values = {
        "passed": entry.row.outcome is not Outcome.FAILED,
        "ended_at": entry.ended_at,
        "seen": keepable(entry.seen),
    }
    changed = connection.execute(
        update(evidence).where(evidence.c.drill == number).values(**values)
    )
    if not changed.rowcount:
        connection.execute(insert(evidence).values(drill=number, **values))


def seconds_at(connection: Connection, home: Home, hop: str, since: datetime) -> float:
    """Add up how long the drills took in which *hop* had to serve, since then."""
    query = (
        select(func.coalesce(func.sum(drills.c.took_s), 0.0))
        .join_from(drills, paths)
        .where(
            drills.c.gateway == home.gateway,
            drills.c.ended_at >= since,
            paths.c.hop == hop,
            drills.c.outcome != Outcome.INCONCLUSIVE.value,
        )
    )
    return float(connection.scalar(query) or 0.0)


def find_all(connection: Connection, wanted: DrillFilter) -> tuple[StoredDrill, ...]:
    """List drills, newest first, without their evidence."""
    query = select(*_COLUMNS).join_from(drills, paths).where(*_conditions(wanted))
    limit = max(0, min(wanted.limit, MOST_DRILLS))
    newest_first = query.order_by(drills.c.number.desc()).limit(limit)
    return tuple(_stored(connection, newest_first))


def find(connection: Connection, drill: str) -> StoredDrill | None:
    """Find one drill by its id, or by the beginning of it, with its evidence."""
    query = select(*_COLUMNS).join_from(drills, paths)
    exact = next(iter(_stored(connection, query.where(drills.c.id == drill))), None)
    found = exact
    if found is None:
        alike = query.where(drills.c.id.startswith(drill, autoescape=True)).limit(2)
        candidates = list(_stored(connection, alike))
        found = candidates[0] if len(candidates) == 1 else None
    if found is None:
        return None
    seen = connection.scalar(
        select(evidence.c.seen).join_from(evidence, drills).where(drills.c.id == found.row.id)
    )
    return replace(found, seen=seen)


def _stored(connection: Connection, query: Select[Any]) -> Iterator[StoredDrill]:
    for row in connection.execute(query).all():
        yield StoredDrill(
            row=report_row(row.row),
            path=ledger.path_of(row),
            daemon=row.daemon,
            gateway=row.gateway,
            ended_at=row.ended_at,
            campaign=row.campaign,
            requests=row.requests,
            tokens=row.tokens,
            cost_usd=row.cost_nano_usd / NANO,
        )


def report_row(stored: Any) -> DrillRow:
    """Read the row of a report.

    Raises:
        StoreError: It was written by a newer Understudy.
    """
    try:
        return DrillRow.model_validate(stored)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise StoreError(
            f"a drill in the store has a {where!r} that this Understudy does not know",
            remedy="Use the Understudy that has written it, or a newer one.",
            permanent=True,
        ) from None


def _conditions(wanted: DrillFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    pairs = (
        (drills.c.gateway, wanted.gateway),
        (paths.c.model_group, wanted.group),
        (drills.c.outcome, wanted.outcome),
        (drills.c.kind, wanted.kind),
        (drills.c.campaign, wanted.campaign),
    )
    conditions += [column == value for column, value in pairs if value is not None]
    if wanted.path:
        conditions.append(_holds(ledger.text(), wanted.path))
    if wanted.since is not None:
        conditions.append(drills.c.ended_at >= wanted.since)
    if wanted.before is not None:
        last = select(drills.c.number).where(drills.c.id == wanted.before).scalar_subquery()
        conditions.append(drills.c.number < last)
    return conditions


def _holds(text: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Whether the text has this part, in the same case; LIKE knows no case in SQLite."""
    return func.replace(text, part, "") != text
