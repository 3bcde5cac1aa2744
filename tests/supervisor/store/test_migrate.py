"""A store is made or brought up to date at once; what is foreign, or newer, is left alone."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, MetaData, Table, create_engine, inspect, text

from supervisor.store import migrate as module
from supervisor.store.database import Database
from supervisor.store.errors import StoreError
from supervisor.store.location import file_of, parse_url
from supervisor.store.migrate import FOLDER, current, is_current, old_copy
from supervisor.store.tables import HEAD, VERSION_TABLE, metadata

NEXT = f"{int(HEAD) + 1:04}"

STEP = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"


def upgrade():
    op.create_table("added", sa.Column("number", sa.Integer(), primary_key=True))
"""


async def opened(url: URL, *, create: bool = True) -> str | None:
    """Open the store at *url*, and return the version that it is then at."""
    async with Database.opened(url, create=create) as database:
        return await database.read(current)


async def refused(url: URL, *, create: bool = True) -> StoreError:
    """Open what must be refused for good, and return why."""
    with pytest.raises(StoreError) as caught:
        await opened(url, create=create)
    assert caught.value.permanent
    return caught.value


def run(url: URL, statement: str) -> None:
    """Run one *statement* behind the store's back."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def tables(url: URL) -> set[str]:
    """List the tables at *url*."""
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Understudy with one migration more; its folder of migrations."""
    folder = tmp_path / "newer" / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / f"r{NEXT}_added.py").write_text(STEP)
    monkeypatch.setattr(module, "FOLDER", folder)
    monkeypatch.setattr(module, "HEAD", NEXT)
    return folder


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """A store's file as the first Understudy made it."""
    file = tmp_path / "store" / "understudy.db"
    assert await opened(parse_url(str(file))) == HEAD
    return file


def test_the_newest_migration_is_the_head():
    """There is one line of migrations, and its end is the version that the tables are."""
    script = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])
    assert script.get_heads() == [HEAD]


async def test_the_migrations_make_what_the_tables_say(url: URL):
    """No table, column, type, key or index differs between the migrations and tables.py."""
    await opened(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or name != VERSION_TABLE,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        # The comparison does see what is missing.
        more = MetaData()
        for each in metadata.sorted_tables:
            each.to_metadata(more)
        Table("missing", more)
        (difference,) = compare_metadata(context, more)
        assert difference[0] == "add_table"
    engine.dispose()


async def test_the_migrations_name_things_as_the_tables_do(url: URL):
    """Keys and constraints have the names that tables.py gives them, which later migrations
    need.
    """
    await opened(url)
    engine = create_engine(url)
    found = inspect(engine)
    for name, table in metadata.tables.items():
        assert found.get_pk_constraint(name)["name"] == table.primary_key.name
        made = {each["name"] for each in found.get_foreign_keys(name)}
        made |= {each["name"] for each in found.get_unique_constraints(name)}
        declared = {each.name for each in table.constraints if each is not table.primary_key}
        assert made == declared, name
    engine.dispose()


async def test_a_second_start_finds_nothing_to_do(url: URL, monkeypatch: pytest.MonkeyPatch):
    """A store that is up to date is opened without alembic, and no copy is made."""
    await opened(url)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "_upgrade", never)
    monkeypatch.setattr(module, "_keep_old", never)
    async with Database.opened(url) as database:
        assert await database.read(is_current)
        # Another daemon was faster, between the question and the lock.
        await database.write(module.migrate, where="here", file=file_of(url))


async def test_an_empty_database_has_no_version(url: URL):
    """A database without the table of versions is at none."""
    engine = create_engine(url)
    with engine.connect() as connection:
        assert current(connection) is None
        assert not is_current(connection)
    engine.dispose()


async def test_an_older_store_is_brought_up_to_date(url: URL, newer: Path):
    """Only the missing step is run, and what was stored is still there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HEAD", HEAD)
        patch.setattr(module, "FOLDER", FOLDER)
        assert await opened(url) == HEAD
    run(url, "INSERT INTO spent VALUES ('2026-03-01', 'anthropic', 1, 2, 3)")
    assert await opened(url) == NEXT
    async with Database.opened(url) as database:
        rows = await database.read(
            lambda connection: connection.scalar(text("SELECT 1 FROM spent"))
        )
    assert rows == 1
    assert "added" in tables(url)


async def test_an_older_store_is_copied_before_it_is_changed(old: Path, newer: Path):
    """The copy is at the old version, holds what was stored, and is the only one that is kept."""
    stale = old_copy(old, "0000")
    stale.write_bytes(b"from an earlier migration")
    beside = old.with_name("other.db.before-0000")
    beside.write_bytes(b"of another store")
    url = parse_url(str(old))
    run(url, "INSERT INTO spent VALUES ('2026-03-01', 'anthropic', 1, 2, 3)")
    assert await opened(url) == NEXT
    copy = old_copy(old, HEAD)
    assert list(old.parent.glob("understudy.db.before-*")) == [copy]
    assert beside.exists()
    with closing(sqlite3.connect(copy)) as connection:
        version = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchall()
        assert version == [(HEAD,)]
        assert connection.execute("SELECT provider FROM spent").fetchall() == [("anthropic",)]
    assert "added" not in tables(parse_url(str(copy)))


async def test_a_new_store_has_no_copy(tmp_path: Path):
    """There is nothing to keep before the first migration."""
    file = tmp_path / "understudy.db"
    await opened(parse_url(str(file)))
    assert not list(tmp_path.glob("*before*"))


async def test_a_store_that_cannot_be_copied_is_not_changed(old: Path, newer: Path):
    """Without a copy there is no migration, and the earlier copy stays."""
    stale = old_copy(old, "0000")
    stale.write_bytes(b"from an earlier migration")
    old_copy(old, HEAD).mkdir()
    url = parse_url(str(old))
    assert "cannot be copied" in (await refused(url)).message
    assert "added" not in tables(url)
    assert stale.exists()


async def test_a_migration_that_fails_changes_nothing(url: URL, newer: Path):
    """A step that breaks off in the middle leaves the store at the version it had."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HEAD", HEAD)
        patch.setattr(module, "FOLDER", FOLDER)
        await opened(url)
    broken = newer / f"r{NEXT}_added.py"
    broken.write_text(f"{STEP}    op.execute('SELECT * FROM nowhere')\n")
    with pytest.raises(StoreError, match="nowhere"):
        await opened(url)
    assert "added" not in tables(url)
    broken.write_text(STEP)
    assert await opened(url) == NEXT


async def test_a_newer_store_is_refused(url: URL):
    """An older Understudy does not write into what it does not know."""
    await opened(url)
    run(url, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    error = await refused(url)
    assert error.message.endswith(f"schema (9999) is newer than this Understudy ({HEAD})")
    assert "Install the newer" in error.remedy
    engine = create_engine(url)
    with engine.connect() as connection:
        assert current(connection) == "9999"
    engine.dispose()


async def test_only_a_daemon_brings_a_store_up_to_date(url: URL, newer: Path):
    """A command that only looks says what to do, and changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HEAD", HEAD)
        patch.setattr(module, "FOLDER", FOLDER)
        await opened(url)
    error = await refused(url, create=False)
    assert "its schema is older than this Understudy" in error.message
    assert "Start the daemon" in error.remedy
    assert "added" not in tables(url)


@pytest.mark.parametrize("create", [True, False])
async def test_tables_of_others_are_refused(url: URL, create: bool):
    """A database that has a table of one of our names is not taken over."""
    run(url, "CREATE TABLE drills (hole INTEGER)")
    error = await refused(url, create=create)
    assert "its table 'drills' was not made by Understudy" in error.message
    assert tables(url) == {"drills"}


async def test_tables_with_other_names_are_left_alone(url: URL):
    """A database that is shared with something else is no hindrance."""
    run(url, "CREATE TABLE holes (drill INTEGER)")
    assert await opened(url) == HEAD
    assert tables(url) == {"holes", VERSION_TABLE, *metadata.tables}


async def test_a_newer_store_is_neither_copied_nor_robbed_of_its_copies(tmp_path: Path):
    """What is refused is left alone, with everything beside it; and is called newer."""
    file = tmp_path / "understudy.db"
    url = parse_url(str(file))
    async with Database.opened(url):
        pass
    with sqlite3.connect(file) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    older = old_copy(file, "0000")
    older.write_text("a copy")
    for create in (True, False):
        with pytest.raises(StoreError, match="is newer than this"):
            async with Database.opened(url, create=create):
                pass
    assert older.exists()
    assert not old_copy(file, "9999").exists()


@pytest.mark.parametrize(
    "url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
async def test_daemons_that_start_together_make_the_tables_once(url: URL):
    """Each opens the store; none is refused because another was faster."""

    async def start() -> None:
        async with Database.opened(url) as database:
            assert await database.read(is_current)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(start())
