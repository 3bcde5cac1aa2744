"""The first migration makes everything, or nothing."""

from typing import Any

import pytest
from alembic import op
from sqlalchemy import URL, create_engine, inspect

from supervisor.store.database import Database
from supervisor.store.errors import StoreError
from supervisor.store.migrations import r0001_first
from supervisor.store.tables import VERSION_TABLE, metadata


def tables(url: URL) -> set[str]:
    """List the tables at *url*."""
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_it_is_the_first():
    """Nothing comes before it."""
    assert (r0001_first.revision, r0001_first.down_revision) == ("0001", None)


@pytest.mark.parametrize("breaks_at", ["drills_by_path", "evidence_by_age"])
async def test_a_migration_that_breaks_off_leaves_nothing(
    url: URL, monkeypatch: pytest.MonkeyPatch, breaks_at: str
):
    """Not even the tables made before the failure are left, and the next start makes all."""
    create_index = op.create_index

    def failing(name: str, *rest: Any, **options: Any) -> None:
        if name == breaks_at:
            raise StoreError("the disk is full", remedy="Free some of it.")
        create_index(name, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_index", failing)
        with pytest.raises(StoreError, match="the disk is full"):
            async with Database.opened(url):
                pass
    assert tables(url) == set()
    async with Database.opened(url):
        pass
    assert tables(url) == {VERSION_TABLE, *metadata.tables}
