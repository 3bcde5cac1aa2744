"""Benchmarks of engines: each is kept whole, and what may be a baseline for ever."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select

from supervisor.baseline.record import Benchmark
from supervisor.store.errors import StoreError
from supervisor.store.evidence import clean, keepable
from supervisor.store.records import Home
from supervisor.store.tables import benchmarks

MOST_READ = 100
"""Of each engine, besides those that are or may be its baseline."""

Known = dict[int, Benchmark]
"""What was read already, by number: a record never changes."""


def add(connection: Connection, home: Home, one: Benchmark) -> bool:
    """Write one; False if it is there already.

    Raises:
        StoreError: It is too long to be kept whole.
    """
    row = keepable(one.model_dump(mode="json", by_alias=True))
    if "left_out" in row:
        raise StoreError(
            f"the benchmark {one.id} is too long to be kept: {row['left_out']}",
            remedy="Keep fewer runs: --runs, --concurrency.",
        )
    there = connection.scalar(select(benchmarks.c.number).where(benchmarks.c.id == one.id))
    if there is not None:
        return False
    connection.execute(
        insert(benchmarks).values(
            id=one.id,
            daemon=home.daemon,
            engine=clean(one.engine, 500),
            taken_at=one.taken_at,
            taken_by=one.taken_by,
            took_s=one.took_s,
            row=row,
        )
    )
    return True


def _kept_for_ever() -> Select[tuple[int]]:
    """Name the newest that a person has taken and the oldest of the daemon's, of every engine."""
    groups = (benchmarks.c.daemon, benchmarks.c.engine)
    newest = select(func.max(benchmarks.c.number)).where(benchmarks.c.taken_by == "command")
    oldest = select(func.min(benchmarks.c.number)).where(benchmarks.c.taken_by == "daemon")
    either = newest.group_by(*groups).union(oldest.group_by(*groups)).subquery()
    return select(*either.c)


def read(connection: Connection, home: Home, known: Known) -> Mapping[str, tuple[Benchmark, ...]]:
    """Read the newest of every engine, oldest first, by engine."""
    own = benchmarks.c.daemon == home.daemon
    rank = (
        func.row_number()
        .over(partition_by=benchmarks.c.engine, order_by=benchmarks.c.number.desc())
        .label("rank")
    )
    ranked = select(benchmarks.c.number, benchmarks.c.engine, rank).where(own).subquery()
    rows = connection.execute(
        select(ranked.c.number, ranked.c.engine)
        .where((ranked.c.rank <= MOST_READ) | ranked.c.number.in_(_kept_for_ever()))
        .order_by(ranked.c.number)
    ).all()
    missing = [row.number for row in rows if row.number not in known]
    for number, one in _whole(connection, benchmarks.c.number.in_(missing)) if missing else ():
        known[number] = one
    found: dict[str, list[Benchmark]] = {}
    for row in rows:
        if row.number in known:
            found.setdefault(row.engine, []).append(known[row.number])
    kept = {row.number for row in rows}
    for number in [number for number in known if number not in kept]:
        del known[number]
    return {engine: tuple(all_) for engine, all_ in found.items()}


def _whole(connection: Connection, where: ColumnElement[bool]) -> list[tuple[int, Benchmark]]:
    rows = connection.execute(select(benchmarks.c.number, benchmarks.c.row).where(where))
    found = []
    for row in rows:
        try:
            found.append((row.number, Benchmark.model_validate(row.row)))
        except ValidationError:
            continue  # Of another version; the figures are in its row still.
    return found


def seconds(connection: Connection, home: Home, engine: str, since: datetime) -> float:
    """Add up how long the daemon's own benchmarks have used an engine, since then."""
    query = select(func.coalesce(func.sum(benchmarks.c.took_s), 0.0)).where(
        benchmarks.c.daemon == home.daemon,
        benchmarks.c.engine == engine,
        benchmarks.c.taken_by == "daemon",
        benchmarks.c.taken_at >= since,
    )
    return float(connection.scalar(query) or 0.0)


def thin(connection: Connection, keep: int, most: int) -> int:
    """Delete benchmarks beyond the last *keep* of each engine; tells how many rows went."""
    columns = (benchmarks.c.daemon, benchmarks.c.engine)
    crowded = connection.execute(
        select(*columns).group_by(*columns).having(func.count() > keep)
    ).all()
    gone = 0
    for row in crowded:
        same = (benchmarks.c.daemon == row.daemon) & (benchmarks.c.engine == row.engine)
        old = (
            select(benchmarks.c.number)
            .where(same, benchmarks.c.number.not_in(_kept_for_ever()))
            .order_by(benchmarks.c.number.desc())
            .offset(keep)
            .limit(most - gone)
        )
        numbers = connection.scalars(old).all()
        gone += connection.execute(
            delete(benchmarks).where(benchmarks.c.number.in_(numbers))
        ).rowcount
        if gone >= most:
            break
    return gone
