"""The ledger of paths: what is due, who drills it, and how it stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from chaos.gateway.topology import Trigger
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath, streaming_word
from supervisor.coverage.ledger import (
    FaultVerdict,
    LedgerPath,
    PathState,
    Wish,
    evaluated,
    first_seen,
    kept,
    retired,
    turns_at,
)
from supervisor.coverage.risk import rate
from supervisor.store.records import Counts, Home, Transition
from supervisor.store.tables import AnyRow, days, drills, paths, transitions, verdicts

_PATH_COLUMNS = (
    paths.c.model_group,
    paths.c.trigger,
    paths.c.hop,
    paths.c.surface,
    paths.c.shape,
    paths.c.stream,
)


def sync(
    connection: Connection, home: Home, wanted: Mapping[FallbackPath, Wish], now: datetime
) -> int:
    """Bring the ledger of a gateway up to what is rehearsed there now.

    Returns:
        How many paths are new, back or changed: they are due at once.
    """
    known = {path_of(row): row for row in connection.execute(_of_gateway(home.gateway))}
    verdicts_of = _all_verdicts(connection, home.gateway)
    anew = 0
    added = []
    for path, wish in wanted.items():
        row = known.get(path)
        if row is None:
            added.append(_values(home.gateway, first_seen(path, wish, now), ()))
            continue
        before = record_of(row)
        after = kept(before, wish, now)
        if after != before:
            anew += after.known_since != before.known_since
            after = evaluated(after, verdicts_of.get(row.number, {}).values(), now)
            change(connection, row, after, verdicts_of.get(row.number, {}), now)
    if added:
        connection.execute(insert(paths), added)
    for path, row in known.items():
        if path not in wanted and row.retired_at is None:
            change(
                connection, row, retired(record_of(row), now), verdicts_of.get(row.number, {}), now
            )
    return anew + len(added)


def find(connection: Connection, home: Home, path: FallbackPath) -> AnyRow | None:
    """Find the row of *path*."""
    return connection.execute(
        select(paths).where(is_path(home.gateway, path)).with_for_update()
    ).one_or_none()


def add_unrehearsed(
    connection: Connection, home: Home, path: FallbackPath, now: datetime
) -> AnyRow:
    """Make room for a path that somebody drilled and that is none of those rehearsed."""
    record = retired(
        first_seen(path, Wish(0.0, critical=False, faults=0, fingerprint=""), now), now
    )
    connection.execute(insert(paths).values(_values(home.gateway, record, ())))
    return connection.execute(select(paths).where(is_path(home.gateway, path))).one()


def change(
    connection: Connection,
    row: AnyRow,
    record: LedgerPath,
    known: Mapping[str, FaultVerdict],
    now: datetime,
    drill: str | None = None,
) -> Transition | None:
    """Write what has become of a path.

    Args:
        drill: The drill that changed it, which ends its daemon's claim.

    Returns:
        The transition, if its state has changed.
    """
    values = _values(row.gateway, record, known.values())
    if drill is not None:
        values |= {"claimed_by": None, "claimed_until": None}
    changed = connection.execute(
        update(paths)
        .where(paths.c.number == row.number, paths.c.version == row.version)
        .values({**values, "version": row.version + 1})
    )
    was = PathState(row.state)
    if not changed.rowcount or was is record.state:
        return None
    noted = Transition(record.path, was, record.state, record.since, now, drill)
    connection.execute(
        insert(transitions).values(
            path=row.number,
            was=was.value,
            state=record.state.value,
            at=record.since,
            noticed_at=now,
            drill=drill,
        )
    )
    return noted


def put_verdict(connection: Connection, number: int, verdict: FaultVerdict) -> None:
    """Write what is known of one fault on a path."""
    values = {name: getattr(verdict, name) for name in FaultVerdict.__slots__ if name != "fault"}
    same = and_(verdicts.c.path == number, verdicts.c.fault == verdict.fault)
    changed = connection.execute(update(verdicts).where(same).values(**values))
    if not changed.rowcount:
        connection.execute(insert(verdicts).values(path=number, fault=verdict.fault, **values))


def forget_faults(connection: Connection, number: int, faults: Sequence[str]) -> None:
    """Forget the verdicts of faults that no longer take turns on a path."""
    connection.execute(
        delete(verdicts).where(verdicts.c.path == number, verdicts.c.fault.not_in(list(faults)))
    )


def verdicts_of(connection: Connection, number: int) -> dict[str, FaultVerdict]:
    """Read what is known of each fault on a path."""
    rows = connection.execute(select(verdicts).where(verdicts.c.path == number))
    return {row.fault: verdict_of(row) for row in rows}


def verdicts_on(connection: Connection, home: Home, path: FallbackPath) -> dict[str, FaultVerdict]:
    """Read what is known of each fault on *path*."""
    number = connection.scalar(select(paths.c.number).where(is_path(home.gateway, path)))
    return {} if number is None else verdicts_of(connection, number)


def ledger(connection: Connection, gateway: str) -> dict[FallbackPath, LedgerPath]:
    """Read every path that is rehearsed, in the order in which they were first seen."""
    query = _of_gateway(gateway).where(paths.c.rate.is_not(None)).order_by(paths.c.number)
    return {path_of(row): record_of(row) for row in connection.execute(query)}


def known(connection: Connection, gateway: str) -> "KnownPaths":
    """Read the rehearsed paths and their verdicts, of one moment, without taking them apart yet.

    Thousands of rows are read whenever something happens, and looked at far less often.
    """
    rows = connection.execute(
        _of_gateway(gateway).where(paths.c.rate.is_not(None)).order_by(paths.c.number)
    ).all()
    columns = ", ".join(f"v.{name}" for name in _VERDICT_COLUMNS)
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    found = connection.exec_driver_sql(
        f"SELECT {columns} FROM verdicts v JOIN paths p ON p.number = v.path "  # noqa: S608 -- names of ours
        f"WHERE p.gateway = {mark} AND p.rate IS NOT NULL",
        (gateway,),
    ).all()
    return KnownPaths(rows, found)


_VERDICT_COLUMNS = ("path", *FaultVerdict.__slots__)


@dataclass(frozen=True, slots=True)
class KnownPaths:
    """Rows of paths and of their verdicts, as one transaction saw them."""

    rows: Sequence[AnyRow]
    verdict_rows: Sequence[Sequence[Any]]

    def paths(self) -> dict[FallbackPath, tuple[LedgerPath, dict[str, FaultVerdict]]]:
        """Take them apart, in the order in which paths were first seen."""
        verdicts_by: dict[int, dict[str, FaultVerdict]] = {}
        for number, *values in self.verdict_rows:
            verdict = _raw_verdict(values)
            verdicts_by.setdefault(number, {})[verdict.fault] = verdict
        return {
            (record := record_of(row)).path: (record, verdicts_by.get(row.number, {}))
            for row in self.rows
        }

    def records(self) -> dict[FallbackPath, LedgerPath]:
        """Take only the paths apart: some readers need no more."""
        return {(record := record_of(row)).path: record for row in self.rows}


def _raw_verdict(values: Sequence[Any]) -> FaultVerdict:
    fault, tried_at, outcome, at, drill, kind, gap, until, stand_in, partial, fails = values
    return FaultVerdict(
        fault=fault,
        tried_at=_time(tried_at),
        outcome=None if outcome is None else Outcome(outcome),
        at=_time(at),
        drill=drill,
        kind=kind,
        known_gap=gap,
        accepted_until=_time(until),
        stand_in=bool(stand_in),
        partial=bool(partial),
        fails=fails,
    )


def _time(value: Any) -> datetime | None:
    """Read a time as the driver gives it: SQLite text, PostgreSQL a time."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def changes(connection: Connection, gateway: str, limit: int = 100) -> tuple[Transition, ...]:
    """List how paths changed, newest first."""
    query = (
        select(
            transitions.c.was,
            transitions.c.state.label("became"),
            transitions.c.at,
            transitions.c.noticed_at,
            transitions.c.drill,
            *_PATH_COLUMNS,
        )
        .join_from(transitions, paths)
        .where(paths.c.gateway == gateway)
        .order_by(transitions.c.number.desc())
        .limit(limit)
    )
    return tuple(
        Transition(
            path_of(row),
            PathState(row.was),
            PathState(row.became),
            row.at,
            row.noticed_at,
            row.drill,
        )
        for row in connection.execute(query)
    )


def counts(connection: Connection, gateway: str, day: str) -> Counts:
    """Count the paths by state, and the drills of *day* by outcome."""
    states = connection.execute(
        select(paths.c.state, func.count())
        .where(paths.c.gateway == gateway, paths.c.rate.is_not(None))
        .group_by(paths.c.state)
    )
    ended = connection.execute(
        select(days.c.outcome, func.sum(days.c.count))
        .join_from(days, paths)
        .where(paths.c.gateway == gateway, days.c.day == day)
        .group_by(days.c.outcome)
    )
    return Counts(
        {PathState(state): count for state, count in states},
        {outcome: int(count) for outcome, count in ended},
    )


def gateways(connection: Connection) -> tuple[str, ...]:
    """List the gateways that have paths here."""
    return tuple(connection.scalars(select(paths.c.gateway).distinct().order_by(paths.c.gateway)))


def count_drill(connection: Connection, number: int, day: str, outcome: Outcome, by: int) -> None:
    """Count a drill in the roll-up of its day."""
    same = and_(days.c.path == number, days.c.day == day, days.c.outcome == outcome.value)
    changed = connection.execute(update(days).where(same).values(count=days.c.count + by))
    if not changed.rowcount:
        connection.execute(
            insert(days).values(path=number, day=day, outcome=outcome.value, count=by)
        )


def has_drill(connection: Connection, drill: str) -> bool:
    """Report whether a drill is written down."""
    return connection.scalar(select(drills.c.number).where(drills.c.id == drill)) is not None


def _of_gateway(gateway: str) -> Select[Any]:
    return select(paths).where(paths.c.gateway == gateway)


def _all_verdicts(connection: Connection, gateway: str) -> dict[int, dict[str, FaultVerdict]]:
    query = select(verdicts).join_from(verdicts, paths).where(paths.c.gateway == gateway)
    known: dict[int, dict[str, FaultVerdict]] = {}
    for row in connection.execute(query):
        known.setdefault(row.path, {})[row.fault] = verdict_of(row)
    return known


def is_path(gateway: str, path: FallbackPath) -> ColumnElement[bool]:
    """Ask for the row of *path*."""
    return and_(
        paths.c.gateway == gateway,
        paths.c.model_group == path.group,
        paths.c.trigger == path.trigger.value,
        paths.c.hop == path.hop,
        paths.c.surface == path.surface,
        paths.c.shape == path.shape,
        paths.c.stream == path.stream,
    )


def path_of(row: AnyRow) -> FallbackPath:
    """Read which path a row is about."""
    return FallbackPath(
        row.model_group, Trigger(row.trigger), row.hop, row.surface, row.shape, row.stream
    )


def text() -> ColumnElement[str]:
    """Write a path in the database as ``str(FallbackPath)`` does."""
    columns = (paths.c.model_group, paths.c.trigger, paths.c.hop, paths.c.surface, paths.c.shape)
    streaming = case(
        (paths.c.stream, streaming_word(stream=True)), else_=streaming_word(stream=False)
    )
    first, *rest = (*columns, streaming)
    return reduce(lambda before, column: before.concat("/").concat(column), rest, first)


def record_of(row: AnyRow) -> LedgerPath:
    """Read the record of a path."""
    return LedgerPath(
        path=path_of(row),
        target_s=row.target_s,
        critical=row.critical,
        faults=row.faults,
        fingerprint=row.fingerprint,
        state=PathState(row.state),
        since=row.since,
        known_since=row.known_since,
        due_at=row.due_at,
        passed_at=row.passed_at,
        late_at=row.late_at,
        stale_at=row.stale_at,
        misses=row.misses,
        full_since=row.full_since,
        retired_at=row.retired_at,
    )


def _values(gateway: str, record: LedgerPath, known: Iterable[FaultVerdict]) -> dict[str, Any]:
    path = record.path
    active = record.retired_at is None
    return {
        "gateway": gateway,
        "model_group": path.group,
        "trigger": path.trigger.value,
        "hop": path.hop,
        "surface": path.surface,
        "shape": path.shape,
        "stream": path.stream,
        "target_s": record.target_s,
        "critical": record.critical,
        "faults": record.faults,
        "fingerprint": record.fingerprint,
        "state": record.state.value,
        "since": record.since,
        "known_since": record.known_since,
        "due_at": record.due_at,
        "passed_at": record.passed_at,
        "late_at": record.late_at,
        "stale_at": record.stale_at,
        "misses": record.misses,
        "full_since": record.full_since,
        "retired_at": record.retired_at,
        "turns_at": turns_at(record, known) if active else None,
        "rate": rate(record) if active else None,
        "version": 0,
    }


def verdict_of(row: AnyRow) -> FaultVerdict:
    """Read what is known of a fault."""
    return FaultVerdict(
        fault=row.fault,
        tried_at=row.tried_at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        at=row.at,
        drill=row.drill,
        kind=row.kind,
        known_gap=row.known_gap,
        accepted_until=row.accepted_until,
        stand_in=row.stand_in,
        partial=row.partial,
        fails=row.fails,
    )
