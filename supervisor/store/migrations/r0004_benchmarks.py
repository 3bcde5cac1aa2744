"""Benchmarks of engines."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "benchmarks",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("taken_by", sa.String(length=16), nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="benchmarks_key"),
        sa.UniqueConstraint("id", name="benchmarks_unique_id"),
    )
    op.create_index("benchmarks_by_engine", "benchmarks", ["daemon", "engine", "number"])
