"""Swaps of engines, and their steps."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "rollouts",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("container", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="rollouts_key"),
        sa.UniqueConstraint("id", name="rollouts_unique_id"),
    )
    op.create_index("rollouts_by_container", "rollouts", ["daemon", "container", "number"])
    op.create_table(
        "rollout_steps",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("rollout", NUMBER, nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="rollout_steps_key"),
        sa.ForeignKeyConstraint(
            ["rollout"],
            ["rollouts.number"],
            name="rollout_steps_of_rollouts",
            ondelete="CASCADE",
        ),
    )
    op.create_index("rollout_steps_by_rollout", "rollout_steps", ["rollout", "number"])
