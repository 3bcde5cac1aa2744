"""What is watched: how parts stand, how they changed, and the heartbeats of clients."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "standings",
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("known", sa.JSON(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("daemon", "kind", "name", name="standings_key"),
    )
    op.create_table(
        "part_changes",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("was", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("noticed_at", TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="part_changes_key"),
    )
    op.create_index("part_changes_by_part", "part_changes", ["daemon", "kind", "name"])
    op.create_table(
        "heartbeats",
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("known_since", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("daemon", "name", name="heartbeats_key"),
    )
