"""How watched parts stand and changed, and the heartbeats of clients."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from supervisor.probes.kinds.heartbeat import Beats
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Change, Standing
from supervisor.store.evidence import clean, keepable
from supervisor.store.records import Home
from supervisor.store.tables import AnyRow, heartbeats, part_changes, standings

MOST_CHARACTERS = 2_000


def note_standing(
    connection: Connection,
    home: Home,
    standing: Standing,
    change: Change | None,
    known: Any,
    now: datetime,
) -> None:
    """Write how a part stands, and the change that led there.

    Args:
        known: What the part's next probe must know after a restart, as JSON.
    """
    part = standing.part
    key = {"daemon": home.daemon, "kind": part.kind.value, "name": part.name}
    values = {
        "state": standing.state.value,
        "since": standing.since,
        "reason": clean(standing.reason, MOST_CHARACTERS),
        "known": keepable(known),
        "at": now,
    }
    same = and_(*(standings.c[name] == value for name, value in key.items()))
    if not connection.execute(update(standings).where(same).values(**values)).rowcount:
        connection.execute(insert(standings).values(**key, **values))
    if change is not None:
        connection.execute(
            insert(part_changes).values(
                **key,
                was=change.was.value,
                state=change.state.value,
                at=change.at,
                noticed_at=change.noticed_at,
                reason=clean(change.reason, MOST_CHARACTERS),
            )
        )


def stood(connection: Connection, home: Home) -> dict[Part, tuple[Standing, Any]]:
    """Read how the parts stood last, and what their probes are to know."""
    rows = connection.execute(select(standings).where(standings.c.daemon == home.daemon))
    found = {}
    for row in rows:
        part = Part(PartKind(row.kind), row.name)
        found[part] = (Standing(part, State(row.state), row.since, row.reason), row.known)
    return found


def forget_parts(connection: Connection, home: Home, watched: tuple[Part, ...]) -> None:
    """Forget how parts stood that are watched no more; how they changed is kept."""
    kept = {(part.kind.value, part.name) for part in watched}
    rows = connection.execute(
        select(standings.c.kind, standings.c.name).where(standings.c.daemon == home.daemon)
    )
    for kind, name in [(row.kind, row.name) for row in rows if (row.kind, row.name) not in kept]:
        connection.execute(
            delete(standings).where(
                standings.c.daemon == home.daemon,
                standings.c.kind == kind,
                standings.c.name == name,
            )
        )


def part_changes_of(connection: Connection, home: Home, limit: int) -> tuple[Change, ...]:
    """List how parts changed, newest first."""
    rows = connection.execute(
        select(part_changes)
        .where(part_changes.c.daemon == home.daemon)
        .order_by(part_changes.c.number.desc())
        .limit(limit)
    )
    return tuple(map(_change, rows))


def _change(row: AnyRow) -> Change:
    return Change(
        Part(PartKind(row.kind), row.name),
        State(row.was),
        State(row.state),
        row.at,
        row.noticed_at,
        row.reason,
    )


def expect(connection: Connection, home: Home, names: tuple[str, ...], now: datetime) -> None:
    """Begin to wait for the heartbeats of *names*, and for no others."""
    own = heartbeats.c.daemon == home.daemon
    connection.execute(delete(heartbeats).where(own, heartbeats.c.name.not_in(names)))
    known = set(connection.scalars(select(heartbeats.c.name).where(own)))
    for name in names:
        if name not in known:
            connection.execute(
                insert(heartbeats).values(daemon=home.daemon, name=name, known_since=now, count=0)
            )


def beat(connection: Connection, home: Home, name: str, now: datetime) -> bool:
    """Take a sign of life; False if nobody waits for it."""
    changed = connection.execute(
        update(heartbeats)
        .where(heartbeats.c.daemon == home.daemon, heartbeats.c.name == name)
        .values(last_at=now, count=heartbeats.c["count"] + 1)
    )
    return changed.rowcount > 0


def beats(connection: Connection, home: Home) -> Mapping[str, Beats]:
    """Read every heartbeat that is waited for, by name."""
    rows = connection.execute(
        select(heartbeats).where(heartbeats.c.daemon == home.daemon).order_by(heartbeats.c.name)
    )
    return {
        row.name: Beats(row.name, row.known_since, row.last_at, row._mapping["count"])  # noqa: SLF001 -- public
        for row in rows
    }


def thin_changes(connection: Connection, keep: int, most: int) -> int:
    """Delete changes of parts beyond the last *keep* of each; tells how many rows went."""
    columns = (part_changes.c.daemon, part_changes.c.kind, part_changes.c.name)
    crowded = connection.execute(
        select(*columns).group_by(*columns).having(func.count() > keep)
    ).all()
    gone = 0
    for row in crowded:
        same = and_(*(column == value for column, value in zip(columns, row, strict=True)))
        last = connection.scalar(
            select(part_changes.c.number)
            .where(same)
            .order_by(part_changes.c.number.desc())
            .offset(keep - 1)
            .limit(1)
        )
        old = (
            select(part_changes.c.number)
            .where(same, part_changes.c.number < last)
            .limit(most - gone)
        )
        numbers = connection.scalars(old).all()
        gone += connection.execute(
            delete(part_changes).where(part_changes.c.number.in_(numbers))
        ).rowcount
        if gone >= most:
            break
    return gone
