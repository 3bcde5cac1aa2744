"""The way back from a newer version of the store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chaos.clock import SystemClock
from supervisor.store.copies.restore import restore, schema_of
from supervisor.store.errors import StoreError
from supervisor.store.location import parse_url
from supervisor.store.migrate import old_copy
from supervisor.store.records import Halt, Home
from supervisor.store.store import Store
from supervisor.store.tables import HEAD, VERSION_TABLE

HOME = Home("spark-1", "http://127.0.0.1:4000")


async def used(file: Path, reason: str) -> None:
    """Open the store and leave a halt in it."""
    async with Store.opened(parse_url(str(file)), HOME, SystemClock()) as store:
        await store.halt(Halt(reason, SystemClock().now()))


async def halted(file: Path) -> str:
    """Open the store and read what was left."""
    async with Store.opened(parse_url(str(file)), HOME, SystemClock()) as store:
        halt = await store.halted()
        assert halt is not None
        return halt.reason


def make_newer(file: Path) -> None:
    """Leave the store as a version that does not exist yet would."""
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store's file."""
    return tmp_path / "understudy.db"


async def test_the_store_of_before_the_upgrade_is_put_back(file: Path):
    """And what the newer version has written is kept, for the day it is installed again."""
    await used(file, "before")
    file.with_name(f"{file.name}.before-0001").write_bytes(b"of another upgrade, broken")
    old_copy(file, HEAD).write_bytes(file.read_bytes())
    await used(file, "after")
    make_newer(file)
    with pytest.raises(StoreError, match=r"newer than this Understudy") as refused:
        await halted(file)
    assert "understudy store restore" in refused.value.remedy
    assert restore(file) == (old_copy(file, HEAD), file.with_name(f"{file.name}.schema-9999"))
    assert await halted(file) == "before"
    assert schema_of(file.with_name(f"{file.name}.schema-9999")) == "9999"


async def test_a_store_that_can_be_used_is_left_alone(file: Path):
    """The way back may be gone twice."""
    await used(file, "now")
    old_copy(file, HEAD).write_bytes(file.read_bytes())
    assert restore(file) is None
    assert await halted(file) == "now"


async def test_a_copy_by_name_is_put_back(file: Path, tmp_path: Path):
    """A backup of last night, say."""
    await used(file, "last night")
    copy = tmp_path / "backup.db"
    copy.write_bytes(file.read_bytes())
    await used(file, "now")
    restore(file, copy)
    assert await halted(file) == "last night"


async def test_without_a_copy_nothing_is_touched(file: Path):
    """The message says what can be done instead."""
    await used(file, "now")
    make_newer(file)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"9999.*no copy of before that is beside it"):
        restore(file)
    assert file.read_bytes() == before


async def test_what_is_no_store_is_not_put_back(file: Path, tmp_path: Path):
    """Whatever was named by mistake."""
    await used(file, "now")
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and longer than the header of one, which is 100 bytes" * 3)
    with pytest.raises(StoreError, match=r"notes\.txt cannot be read: file is not a database"):
        restore(file, other)
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(StoreError, match=r"its schema \(None\) is not one"):
        restore(file, empty)
    assert await halted(file) == "now"
