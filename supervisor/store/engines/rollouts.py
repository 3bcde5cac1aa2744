"""Swaps of engines: the journal. Each step is written before it is taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from supervisor.store.errors import StoreError
from supervisor.store.evidence import clean, keepable
from supervisor.store.records import Home
from supervisor.store.tables import rollout_steps, rollouts

MOST_READ = 50


class RolloutState(StrEnum):
    """Where a rollout stands."""

    STAGING = "staging"
    """The next container is being made; nothing that serves is touched."""

    STAGED = "staged"
    """It is made and tried, and not started."""

    REFUSED = "refused"
    """It cannot work; what was made has been removed."""

    REPLACED = "replaced"
    """A newer one was staged for the same container."""

    SWAPPING = "swapping"
    """The old engine is being exchanged; an interruption leaves it here."""

    ACCEPTED = "accepted"
    """The new engine serves; the old container is kept."""

    RESTORING = "restoring"
    """The old engine is being brought back; an interruption leaves it here."""

    RESTORED = "restored"
    """The old engine serves."""

    STRANDED = "stranded"
    """Neither serves; what to do is written down."""


@dataclass(frozen=True, slots=True)
class JournalStep:
    """One step of a rollout, or its end.

    Attributes:
        state: ``begun``, ``done``, or ``failed``.
    """

    step: str
    state: str
    at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JournalRollout:
    """One rollout as the journal has it.

    Attributes:
        state: What it is now: the rollout's own word.
        row: What it is about, and how to get back.
        steps: Oldest first.
    """

    id: str
    engine: str
    container: str
    state: str
    begun_at: datetime
    changed_at: datetime
    row: Mapping[str, Any]
    steps: tuple[JournalStep, ...] = ()


def begin(
    connection: Connection,
    home: Home,
    name: str,
    *,
    engine: str,
    container: str,
    state: str,
    row: Any,
    now: datetime,
) -> None:
    """Write a new rollout."""
    connection.execute(
        insert(rollouts).values(
            id=name,
            daemon=home.daemon,
            engine=clean(engine, 500),
            container=clean(container, 500),
            state=state,
            begun_at=now,
            changed_at=now,
            row=keepable(row),
        )
    )


def note_step(
    connection: Connection, name: str, step: str, state: str, detail: Any, now: datetime
) -> None:
    """Write that a step begins, or how it ended."""
    connection.execute(
        insert(rollout_steps).values(
            rollout=_number(connection, name),
            step=step,
            state=state,
            at=now,
            detail=keepable(detail),
        )
    )
    connection.execute(update(rollouts).where(rollouts.c.id == name).values(changed_at=now))


def change(
    connection: Connection, name: str, *, state: str, row: Mapping[str, Any], now: datetime
) -> None:
    """Write what a rollout is now; *row* is laid over what is known of it."""
    number = _number(connection, name)
    known = connection.scalar(select(rollouts.c.row).where(rollouts.c.number == number)) or {}
    connection.execute(
        update(rollouts)
        .where(rollouts.c.number == number)
        .values(state=state, row=keepable({**known, **row}), changed_at=now)
    )


def read(
    connection: Connection, home: Home, container: str | None = None
) -> tuple[JournalRollout, ...]:
    """Read the newest rollouts, the newest first, with their steps."""
    query = select(rollouts).where(rollouts.c.daemon == home.daemon)
    if container is not None:
        query = query.where(rollouts.c.container == container)
    rows = connection.execute(query.order_by(rollouts.c.number.desc()).limit(MOST_READ)).all()
    steps: dict[int, list[JournalStep]] = {}
    numbers = [row.number for row in rows]
    for one in connection.execute(
        select(rollout_steps)
        .where(rollout_steps.c.rollout.in_(numbers))
        .order_by(rollout_steps.c.number)
    ):
        steps.setdefault(one.rollout, []).append(
            JournalStep(one.step, one.state, one.at, one.detail)
        )
    return tuple(_rollout(row, steps.get(row.number, [])) for row in rows)


def newest(connection: Connection, home: Home) -> tuple[JournalRollout, ...]:
    """Read the newest of each container, without its steps; the newest first."""
    last = (
        select(func.max(rollouts.c.number))
        .where(rollouts.c.daemon == home.daemon)
        .group_by(rollouts.c.container)
    )
    rows = connection.execute(
        select(rollouts).where(rollouts.c.number.in_(last)).order_by(rollouts.c.number.desc())
    )
    return tuple(_rollout(row, []) for row in rows)


def thin(connection: Connection, keep: int) -> int:
    """Delete rollouts beyond the last *keep* of each daemon; tells how many went."""
    gone = 0
    for daemon in connection.scalars(select(rollouts.c.daemon).distinct()).all():
        old = connection.scalars(
            select(rollouts.c.number)
            .where(rollouts.c.daemon == daemon)
            .order_by(rollouts.c.number.desc())
            .offset(keep)
        ).all()
        gone += connection.execute(delete(rollouts).where(rollouts.c.number.in_(old))).rowcount
    return gone


def _rollout(row: Row[Any], steps: list[JournalStep]) -> JournalRollout:
    return JournalRollout(
        row.id,
        row.engine,
        row.container,
        row.state,
        row.begun_at,
        row.changed_at,
        row.row,
        tuple(steps),
    )


def _number(connection: Connection, name: str) -> int:
    found = connection.scalar(select(rollouts.c.number).where(rollouts.c.id == name))
    if found is None:
        raise StoreError(
            f"the journal has no rollout {name}",
            remedy="It was deleted while it went on; 'understudy rollout status' shows the rest.",
        )
    return int(found)
