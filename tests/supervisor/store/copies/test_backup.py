"""A copy of a store is whole or is not there, and only its owner may read it."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from supervisor.store.copies.backup import backup
from supervisor.store.errors import StoreError

ROWS = 500


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a store that is in use: its last rows are still in the log."""
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("CREATE TABLE rows (words TEXT)")
        connection.executemany("INSERT INTO rows VALUES (?)", [("x" * 1_000,)] * ROWS)
        yield connection


def count(file: Path) -> int:
    """Count the rows of *file*, after a check of every page."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (found,) = connection.execute("SELECT count(*) FROM rows").fetchone()
    return int(found)


def test_a_copy_holds_what_is_committed_and_nothing_else(
    writer: sqlite3.Connection, tmp_path: Path
):
    """A copy made in the middle of another connection's transaction has none of that transaction,
    and all that was committed before.
    """
    writer.execute("BEGIN IMMEDIATE")
    writer.executemany("INSERT INTO rows VALUES (?)", [("y",)] * 100)
    backup(tmp_path / "store.db", tmp_path / "copy.db")
    writer.execute("COMMIT")
    assert count(tmp_path / "copy.db") == ROWS
    assert count(tmp_path / "store.db") == ROWS + 100


def test_a_copy_is_for_its_owner_only(writer: sqlite3.Connection, tmp_path: Path):
    """No other user can read a copy, even where the umask would let them."""
    before = os.umask(0)
    try:
        backup(tmp_path / "store.db", tmp_path / "copy.db")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_a_copy_replaces_the_one_before(writer: sqlite3.Connection, tmp_path: Path):
    """An earlier copy, and what a killed attempt left, are both replaced, and nothing else is
    made.
    """
    copy = tmp_path / "copies" / "copy.db"
    copy.parent.mkdir()
    copy.write_bytes(b"an earlier copy")
    copy.with_name("copy.db.unfinished").write_bytes(b"half of one")
    backup(tmp_path / "store.db", copy)
    assert count(copy) == ROWS
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]


def test_a_name_that_a_url_would_split_is_copied(tmp_path: Path):
    """Characters that mean something in a URL are part of the file's name."""
    file = tmp_path / "a?mode=memory#b%20.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE rows (words TEXT)")
    backup(file, tmp_path / "copy.db")
    assert count(tmp_path / "copy.db") == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"These are notes, not a database. " * 200, "file is not a database"),
        (None, "unable to open database file"),
    ],
)
def test_a_copy_that_fails_leaves_nothing_behind(
    tmp_path: Path, content: bytes | None, reason: str
):
    """After a failure the earlier copy is still there, and no file is new."""
    file, copy = tmp_path / "store.db", tmp_path / "copy.db"
    copy.write_bytes(b"an earlier copy")
    if content is not None:
        file.write_bytes(content)
    before = set(tmp_path.iterdir())
    with pytest.raises(StoreError) as caught:
        backup(file, copy)
    assert caught.value.message == f"the store {file} cannot be copied to {copy}: {reason}"
    assert caught.value.permanent
    assert set(tmp_path.iterdir()) == before
    assert copy.read_bytes() == b"an earlier copy"


def test_a_damaged_store_leaves_no_copy(writer: sqlite3.Connection, tmp_path: Path):
    """A store that breaks in the middle of being copied leaves neither a copy nor half of one."""
    damaged = tmp_path / "elsewhere" / "damaged.db"
    damaged.parent.mkdir()
    backup(tmp_path / "store.db", damaged)
    with damaged.open("r+b") as opened:
        opened.truncate(50 * 4096 + 7)
    with pytest.raises(StoreError, match="cannot be copied"):
        backup(damaged, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy.db*"))


def test_a_missing_folder_for_the_copy_is_reported(writer: sqlite3.Connection, tmp_path: Path):
    """The folder for a copy is not made."""
    with pytest.raises(StoreError, match="No such file or directory") as caught:
        backup(tmp_path / "store.db", tmp_path / "nowhere" / "copy.db")
    assert "may write there" in caught.value.remedy
    assert not (tmp_path / "nowhere").exists()
