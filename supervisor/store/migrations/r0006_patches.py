"""What files mounted over an image's own replace."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "patches",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("daemon", sa.Text(), nullable=False),
        sa.Column("container", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("own", sa.String(length=64)),
        sa.Column("ours", sa.String(length=64)),
        sa.Column("made_for", sa.String(length=64)),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("number", name="patches_key"),
    )
    op.create_index("patches_by_container", "patches", ["daemon", "container", "number"])
