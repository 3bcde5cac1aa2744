"""The tables, in SQLAlchemy Core; nothing in them is SQLite's or PostgreSQL's alone.

Times are stored as UTC. Money is counted in whole nano-dollars, so that sums are exact.
"""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

AnyRow = Row[*tuple[Any, ...]]
"""A row whose columns are named where it is read."""

HEAD = "0006"
"""The newest migration: what the tables below are."""

NANO = 1_000_000_000
"""In a dollar."""

VERSION_TABLE = "understudy_schema"
"""Holds the migration that the database is at; not alembic's name, which others use too."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, also where the database knows no time zones: SQLite keeps ISO 8601 text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        kept: TypeEngine[Any] = String(32) if dialect.name == "sqlite" else self.impl_instance
        return dialect.type_descriptor(kept)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn it to UTC; a naive one is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        value = value.astimezone(UTC)
        # Of one length, so that text sorts as time.
        return value.isoformat(" ", "microseconds") if dialect.name == "sqlite" else value

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002 -- SQLAlchemy hands it in
    ) -> Callable[[Any], datetime | None]:
        """Give it back aware, in UTC; thousands are read at a time."""
        read = datetime.fromisoformat if dialect.name == "sqlite" else _in_utc
        return lambda value: None if value is None else read(value)


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


class PackedJson(TypeDecorator[Any]):
    """JSON, compressed to a quarter: rows and evidence are long and repeat themselves."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Pack it."""
        return None if value is None else zlib.compress(json.dumps(value).encode(), 6)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Unpack it."""
        return None if value is None else json.loads(zlib.decompress(value))


# SQLite numbers rows by itself only where the type is exactly INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "uq": "%(table_name)s_unique_%(column_0_N_name)s",
        "fk": "%(table_name)s_of_%(referred_table_name)s",
        "pk": "%(table_name)s_key",
    }
)

_PATH = ("gateway", "model_group", "trigger", "hop", "surface", "shape", "stream")

# The ledger. A path that vanished from its gateway is retired, never deleted.
paths = Table(
    "paths",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("model_group", Text, nullable=False),
    Column("trigger", String(32), nullable=False),
    Column("hop", Text, nullable=False),
    Column("surface", String(64), nullable=False),
    Column("shape", String(64), nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("target_s", Float, nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("known_since", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("passed_at", UtcDateTime),
    Column("late_at", UtcDateTime),
    Column("stale_at", UtcDateTime),
    Column("misses", Integer, nullable=False),
    Column("full_since", UtcDateTime),
    Column("retired_at", UtcDateTime),
    # When the state changes by itself; null if it does not.
    Column("turns_at", UtcDateTime),
    # How fast the risk grows once it is due; null where it is not drilled.
    Column("rate", Float),
    # Grows with every change: a change is made to what was read, or not at all.
    Column("version", Integer, nullable=False),
    # Which daemon drills it now; it ends by itself when that daemon dies.
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    UniqueConstraint(*_PATH, name="paths_unique_path"),
)
Index("paths_due", paths.c.gateway, paths.c.rate, paths.c.due_at)
Index("paths_turning", paths.c.gateway, paths.c.turns_at)

# The last verdict of every fault on every path: what the state of a path is made of.
verdicts = Table(
    "verdicts",
    metadata,
    Column("path", _Number, ForeignKey(paths.c.number, ondelete="CASCADE"), primary_key=True),
    Column("fault", String(200), primary_key=True),
    Column("tried_at", UtcDateTime),
    Column("outcome", String(16)),
    Column("at", UtcDateTime),
    Column("drill", String(64)),
    Column("kind", String(64)),
    Column("known_gap", Text),
    Column("accepted_until", UtcDateTime),
    Column("stand_in", Boolean, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("fails", Integer, nullable=False, server_default="0"),
)

transitions = Table(
    "transitions",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("path", _Number, ForeignKey(paths.c.number, ondelete="CASCADE"), nullable=False),
    Column("was", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    # When it became true, and when it was noticed.
    Column("at", UtcDateTime, nullable=False),
    Column("noticed_at", UtcDateTime, nullable=False),
    Column("drill", String(64)),
)
Index("transitions_by_path", transitions.c.path, transitions.c.number)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("daemon", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("asked_for", JSON, nullable=False),
    Column("planned", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("stopped", Boolean, nullable=False),
)

drills = Table(
    "drills",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("daemon", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("campaign", String(64), ForeignKey(campaigns.c.id)),
    Column("path", _Number, ForeignKey(paths.c.number), nullable=False),
    Column("scenario", Text, nullable=False),
    Column("fault", String(200), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("kind", String(64)),
    Column("known_gap", Text),
    Column("injector", String(32), nullable=False),
    Column("stand_in", Boolean, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("took_s", Float, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=False),
    # The row of the published report.
    Column("row", PackedJson, nullable=False),
    UniqueConstraint("id"),
)
Index("drills_by_path", drills.c.path, drills.c.number)
Index("drills_by_end", drills.c.gateway, drills.c.ended_at)
Index("drills_by_kind", drills.c.kind, drills.c.number)

# Apart from drills, so that whoever reads many drills does not read their bodies.
evidence = Table(
    "evidence",
    metadata,
    Column("drill", _Number, ForeignKey(drills.c.number, ondelete="CASCADE"), primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("seen", PackedJson, nullable=False),
)
Index("evidence_by_age", evidence.c.passed, evidence.c.ended_at)

# How many drills of a path ended how on which day (UTC): kept for ever.
days = Table(
    "days",
    metadata,
    Column("path", _Number, ForeignKey(paths.c.number, ondelete="CASCADE"), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

halts = Table(
    "halts",
    metadata,
    Column("number", _Number, primary_key=True),
    # Null for every daemon of the store.
    Column("daemon", Text),
    Column("reason", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
    Column("ended_at", UtcDateTime),
)

# How often a drill that was due was refused, by day (UTC) and kind.
refusals = Table(
    "refusals",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("daemon", Text, primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

daemons = Table(
    "daemons",
    metadata,
    Column("name", Text, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

# Single values of one daemon by name, such as what its gateway said last.
memories = Table(
    "memories",
    metadata,
    Column("daemon", Text, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


def _spent_columns() -> list[Column[Any]]:
    names = ("requests", "tokens", "cost_nano_usd")
    return [Column(name, BigInteger, nullable=False) for name in names]


spent = Table(
    "spent",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("provider", String(200), primary_key=True),
    *_spent_columns(),
)

# What may still be spent. A daemon that is killed leaves some: they count until their day ends.
reservations = Table(
    "reservations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("provider", String(200), primary_key=True),
    Column("day", String(10), nullable=False),
    *_spent_columns(),
)
Index("reservations_by_day", reservations.c.day, reservations.c.provider)

# How the parts that a daemon watches stand, as of their last change.
standings = Table(
    "standings",
    metadata,
    Column("daemon", Text, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    # What an engine is compared with, and the like: what a restart must not forget.
    Column("known", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

part_changes = Table(
    "part_changes",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("daemon", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("was", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    # When it was first seen to be so, and when that was confirmed.
    Column("at", UtcDateTime, nullable=False),
    Column("noticed_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("part_changes_by_part", part_changes.c.daemon, part_changes.c.kind, part_changes.c.name)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("daemon", Text, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("known_since", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime),
    Column("count", BigInteger, nullable=False),
)

# Every alert that holds or has held: one row for each set of labels.
alerts = Table(
    "alerts",
    metadata,
    Column("daemon", Text, primary_key=True),
    Column("fingerprint", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("annotations", JSON, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("phase", String(16), nullable=False),
    # When what it is about began, and when it was noticed.
    Column("starts_at", UtcDateTime, nullable=False),
    Column("pending_since", UtcDateTime, nullable=False),
    Column("fired_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
    Column("told_at", UtcDateTime),
    Column("reason", String(16), nullable=False),
)

# Everything that was told, or would have been but for a silence.
alert_changes = Table(
    "alert_changes",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("daemon", Text, nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("annotations", JSON, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("firing", Boolean, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime),
    Column("at", UtcDateTime, nullable=False),
    # Why nobody was told.
    Column("silence", Text),
    UniqueConstraint("id"),
)
Index("alert_changes_by_daemon", alert_changes.c.daemon, alert_changes.c.number)
Index(
    "alert_changes_by_alert",
    alert_changes.c.daemon,
    alert_changes.c.fingerprint,
    alert_changes.c.number,
)

# The outbox: each change, for each notifier, until it was taken or refused for good.
deliveries = Table(
    "deliveries",
    metadata,
    Column(
        "change", _Number, ForeignKey(alert_changes.c.number, ondelete="CASCADE"), primary_key=True
    ),
    Column("notifier", String(64), primary_key=True),
    Column("daemon", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("result", String(16)),
    Column("detail", Text, nullable=False),
)
# In their order: what is to be told next must not cost more when much waits.
Index(
    "deliveries_due",
    deliveries.c.daemon,
    deliveries.c.notifier,
    deliveries.c.state,
    deliveries.c.change,
)

silences = Table(
    "silences",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("daemon", Text, nullable=False),
    # Label to pattern, with * and ?.
    Column("matchers", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)

# How fast engines were; the whole record is its row.
benchmarks = Table(
    "benchmarks",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("daemon", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("taken_by", String(16), nullable=False),
    Column("took_s", Float, nullable=False),
    Column("row", PackedJson, nullable=False),
    UniqueConstraint("id"),
)
Index("benchmarks_by_engine", benchmarks.c.daemon, benchmarks.c.engine, benchmarks.c.number)

# Swaps of engines: what is being done, written before it is done.
rollouts = Table(
    "rollouts",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("daemon", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("container", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("row", PackedJson, nullable=False),
    UniqueConstraint("id"),
)
Index("rollouts_by_container", rollouts.c.daemon, rollouts.c.container, rollouts.c.number)

rollout_steps = Table(
    "rollout_steps",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("rollout", _Number, ForeignKey(rollouts.c.number, ondelete="CASCADE"), nullable=False),
    Column("step", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", PackedJson, nullable=False),
)
Index("rollout_steps_by_rollout", rollout_steps.c.rollout, rollout_steps.c.number)

# Files that are mounted over an image's own: what they replace, by image.
patches = Table(
    "patches",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("daemon", Text, nullable=False),
    Column("container", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("own", String(64)),
    Column("ours", String(64)),
    Column("made_for", String(64)),
    Column("at", UtcDateTime, nullable=False),
)
Index("patches_by_container", patches.c.daemon, patches.c.container, patches.c.number)
