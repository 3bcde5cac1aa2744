"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _campaigns()
    _daemons()
    _halts()
    _memories()
    _paths()
    _refusals()
    _reservations()
    _spent()
    _days()
    _drills()
    _transitions()
    _verdicts()
    _evidence()


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("asked_for", sa.JSON(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="campaigns_key"),
    )


def _daemons() -> None:
    op.create_table(
        "daemons",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="daemons_key"),
    )


def _halts() -> None:
    op.create_table(
        "halts",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("daemon", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("number", name="halts_key"),
    )


def _memories() -> None:
    op.create_table(
        "memories",
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("daemon", "name", name="memories_key"),
    )


def _paths() -> None:
    op.create_table(
        "paths",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("model_group", sa.Text(), nullable=False),
        sa.Column("trigger", sa.String(length=32), nullable=False),
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("surface", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("target_s", sa.Float(), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("known_since", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("passed_at", TIME, nullable=True),
        sa.Column("late_at", TIME, nullable=True),
        sa.Column("stale_at", TIME, nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("full_since", TIME, nullable=True),
        sa.Column("retired_at", TIME, nullable=True),
        sa.Column("turns_at", TIME, nullable=True),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("number", name="paths_key"),
        sa.UniqueConstraint(
            "gateway",
            "model_group",
            "trigger",
            "hop",
            "surface",
            "shape",
            "stream",
            name="paths_unique_path",
        ),
    )
    op.create_index("paths_due", "paths", ["gateway", "rate", "due_at"], unique=False)
    op.create_index("paths_turning", "paths", ["gateway", "turns_at"], unique=False)


def _refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "daemon", "kind", name="refusals_key"),
    )


def _reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "provider", name="reservations_key"),
    )
    op.create_index("reservations_by_day", "reservations", ["day", "provider"], unique=False)


def _spent() -> None:
    op.create_table(
        "spent",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("provider", sa.String(length=200), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "provider", name="spent_key"),
    )


def _days() -> None:
    op.create_table(
        "days",
        sa.Column("path", NUMBER, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["path"], ["paths.number"], name="days_of_paths", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("path", "day", "outcome", name="days_key"),
    )


def _drills() -> None:
    op.create_table(
        "drills",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("campaign", sa.String(length=64), nullable=True),
        sa.Column("path", NUMBER, nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("known_gap", sa.Text(), nullable=True),
        sa.Column("injector", sa.String(length=32), nullable=False),
        sa.Column("stand_in", sa.Boolean(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["campaign"], ["campaigns.id"], name="drills_of_campaigns"),
        sa.ForeignKeyConstraint(["path"], ["paths.number"], name="drills_of_paths"),
        sa.PrimaryKeyConstraint("number", name="drills_key"),
        sa.UniqueConstraint("id", name="drills_unique_id"),
    )
    op.create_index("drills_by_end", "drills", ["gateway", "ended_at"], unique=False)
    op.create_index("drills_by_kind", "drills", ["kind", "number"], unique=False)
    op.create_index("drills_by_path", "drills", ["path", "number"], unique=False)


def _transitions() -> None:
    op.create_table(
        "transitions",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("path", NUMBER, nullable=False),
        sa.Column("was", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("noticed_at", TIME, nullable=False),
        sa.Column("drill", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["path"], ["paths.number"], name="transitions_of_paths", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="transitions_key"),
    )
    op.create_index("transitions_by_path", "transitions", ["path", "number"], unique=False)


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("path", NUMBER, nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("tried_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("at", TIME, nullable=True),
        sa.Column("drill", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("known_gap", sa.Text(), nullable=True),
        sa.Column("accepted_until", TIME, nullable=True),
        sa.Column("stand_in", sa.Boolean(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["path"], ["paths.number"], name="verdicts_of_paths", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("path", "fault", name="verdicts_key"),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("drill", NUMBER, nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["drill"], ["drills.number"], name="evidence_of_drills", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("drill", name="evidence_key"),
    )
    op.create_index("evidence_by_age", "evidence", ["passed", "ended_at"], unique=False)
