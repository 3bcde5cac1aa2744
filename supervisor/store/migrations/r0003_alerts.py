"""What is told: alerts, their changes, the outbox and silences; how often a fault has failed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.add_column("verdicts", sa.Column("fails", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "alerts",
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        *_alert(),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("pending_since", TIME, nullable=False),
        sa.Column("fired_at", TIME, nullable=True),
        sa.Column("ends_at", TIME, nullable=True),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("daemon", "fingerprint", name="alerts_key"),
    )
    op.create_table(
        "alert_changes",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        *_alert(),
        sa.Column("firing", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("silence", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="alert_changes_key"),
        sa.UniqueConstraint("id", name="alert_changes_unique_id"),
    )
    op.create_index("alert_changes_by_daemon", "alert_changes", ["daemon", "number"])
    op.create_index("alert_changes_by_alert", "alert_changes", ["daemon", "fingerprint", "number"])
    op.create_table(
        "deliveries",
        sa.Column("change", NUMBER, nullable=False),
        sa.Column("notifier", sa.String(length=64), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change"],
            ["alert_changes.number"],
            name="deliveries_of_alert_changes",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change", "notifier", name="deliveries_key"),
    )
    op.create_index("deliveries_due", "deliveries", ["daemon", "notifier", "state", "change"])
    op.create_table(
        "silences",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("matchers", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("number", name="silences_key"),
    )


def _alert() -> list[sa.Column[object]]:
    return [
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
    ]
