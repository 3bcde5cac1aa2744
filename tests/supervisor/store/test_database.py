"""One thread, one transaction per call; what is wrong with a file is reported with its remedy."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, insert, text

from supervisor.store import database as module
from supervisor.store.database import Database
from supervisor.store.errors import StoreError
from supervisor.store.location import parse_url
from supervisor.store.memory import recall, remember
from supervisor.store.records import Home
from supervisor.store.tables import memories
from tests.fakes.manual_clock import NOON
from tests.patience import PATIENCE_S

HOME = Home("spark-1", "http://gateway:4000")
PASSWORD = "hunter22"

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a database may be made."""
    return tmp_path / "understudy.db"


@pytest.fixture
async def in_file(file: Path) -> AsyncIterator[Database]:
    """An empty database in *file*."""
    async with Database.opened(parse_url(str(file))) as opened:
        yield opened


@pytest.fixture
async def database(url: URL) -> AsyncIterator[Database]:
    """An empty database of each kind."""
    async with Database.opened(url) as opened:
        yield opened


async def refused(place: object, *, create: bool = True) -> StoreError:
    """Open what cannot be opened, and return why."""
    with pytest.raises(StoreError) as caught:
        async with Database.opened(parse_url(str(place)), create=create):
            pass
    assert caught.value.remedy
    return caught.value


def put(connection: Connection, name: str, value: object = 1) -> None:
    """Remember *value*."""
    remember(connection, HOME, name, value, NOON)


def get(connection: Connection, name: str) -> object:
    """Recall what was put under *name*."""
    return recall(connection, HOME, name)


def pragma(connection: Connection, name: str) -> object:
    """Ask SQLite how it is set, or set it."""
    answer = connection.exec_driver_sql(f"PRAGMA {name}")
    return answer.scalar() if answer.returns_rows else None


@contextmanager
def locked_by_another_process(file: Path) -> Iterator[None]:
    """Let another process hold the lock for writing until exit."""
    command = [sys.executable, "-c", LOCK, str(file)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "locked\n"
            yield
        finally:
            process.kill()


async def test_nothing_runs_on_the_loops_thread(database: Database):
    """The event loop never waits for a disk; those who write have one thread, readers have one."""
    readers = {await database.read(lambda _: threading.get_ident()) for _ in range(3)}
    writers = {await database.write(lambda _: threading.get_ident()) for _ in range(3)}
    writers.add(await database.alone(lambda _: threading.get_ident()))
    assert len(readers) == len(writers) == 1
    assert threading.get_ident() not in readers | writers


async def test_a_reader_does_not_wait_for_a_writer_that_waits(
    file: Path, monkeypatch: pytest.MonkeyPatch
):
    """While another process holds the file locked, what is known can still be shown."""
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", PATIENCE_S)
    async with Database.opened(parse_url(str(file))) as database, asyncio.TaskGroup() as tasks:
        await database.write(put, "here")
        with locked_by_another_process(file):
            waiting = tasks.create_task(database.write(put, "later"))
            for _ in range(3):
                assert await database.read(get, "here") == 1
            assert not waiting.done()
        await waiting
        assert await database.read(get, "later") == 1


async def test_calls_run_in_the_order_in_which_they_came(database: Database):
    """A read that was asked for after a write sees that write."""
    halves = [database.write(put, "same", n) for n in range(5)]
    *_, last = await asyncio.gather(*halves, database.read(get, "same"))
    assert last == 4


async def test_what_is_written_outlives_closing(url: URL):
    """The next start reads what the last one wrote."""
    async with Database.opened(url) as database:
        await database.write(put, "kept", {"a": [1]})
    async with Database.opened(url, create=False) as database:
        assert await database.read(get, "kept") == {"a": [1]}


async def test_the_log_is_written_ahead_and_synced(in_file: Database):
    """A write waits for the disk, whatever ran on the connection before."""
    assert await in_file.read(pragma, "journal_mode") == "wal"
    assert await in_file.read(pragma, "foreign_keys") == 1
    assert await in_file.read(pragma, "journal_size_limit") == module.WAL_BYTES
    await in_file.alone(lambda connection: pragma(connection, "synchronous=OFF"))
    assert await in_file.write(pragma, "synchronous") == 2


async def test_what_fails_is_not_written(database: Database):
    """A call that ends in an error has changed nothing, and the next one works."""

    def half(connection: Connection) -> None:
        put(connection, "half")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(half)
    assert await database.read(get, "half") is None
    await database.write(put, "half")
    assert await database.read(get, "half") == 1


async def test_vacuum_runs_outside_of_any_transaction(database: Database):
    """What may not run in a transaction is refused by write, and done by alone."""

    def vacuum(connection: Connection) -> None:
        connection.exec_driver_sql("VACUUM")

    with pytest.raises(StoreError, match="VACUUM"):
        await database.write(vacuum)
    await database.alone(vacuum)
    # The connection is one for transactions again.
    await test_what_fails_is_not_written(database)


async def test_a_cancelled_call_happens_whole(database: Database):
    """A caller that stops waiting neither breaks a transaction off nor loses the thread."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        put(connection, "first half")
        begun.set()
        assert go_on.wait(PATIENCE_S)
        put(connection, "second half")

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(database.write(slow))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        task.cancel()
    go_on.set()
    assert task.cancelled()
    assert [await database.read(get, name) for name in ("first half", "second half")] == [1, 1]


async def test_a_call_cancelled_in_the_queue_never_happens(database: Database):
    """A call that had not begun when its caller gave up leaves nothing."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: Connection) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(database.write(slow))
        await asyncio.to_thread(begun.wait, PATIENCE_S)
        queued = tasks.create_task(database.write(put, "queued"))
        asked = asyncio.Event()
        asyncio.get_running_loop().call_soon(asked.set)  # after the task's first step
        await asked.wait()
        queued.cancel()
        await asyncio.wait([queued])
        go_on.set()
        await first
    assert queued.cancelled()
    assert await database.read(get, "queued") is None


async def test_closing_waits_for_what_is_running(url: URL):
    """A transaction that runs when the store is closed is finished."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        put(connection, "slow")

    async with asyncio.TaskGroup() as tasks:
        async with Database.opened(url) as database:
            task = tasks.create_task(database.write(slow))
            await asyncio.to_thread(begun.wait, PATIENCE_S)
            asyncio.get_running_loop().call_soon(go_on.set)  # when closing has begun
        await task
    async with Database.opened(url) as database:
        assert await database.read(get, "slow") == 1


async def test_a_file_is_made_for_this_user_only(in_file: Database, file: Path):
    """Neither the file nor the logs beside it can be read by others."""
    await in_file.write(put, "here")
    for each in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


async def test_a_file_locked_by_another_process_is_waited_for_then_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
):
    """Reading goes on meanwhile, and writing works when the other process has ended."""
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.01)
    async with Database.opened(parse_url(str(file))) as database:
        with locked_by_another_process(file):
            with pytest.raises(StoreError) as caught:
                await database.write(put, "here")
            assert caught.value.message == f"the store {file}: another process holds it locked"
            assert not caught.value.permanent
            assert await database.read(get, "here") is None
        await database.write(put, "here")
        assert await database.read(get, "here") == 1


async def test_a_change_holds_the_lock_from_its_beginning(in_file: Database, file: Path):
    """Another connection cannot write between what a change reads and what it writes."""

    def read_then_write(connection: Connection) -> None:
        assert get(connection, "here") is None
        other = sqlite3.connect(file, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("DELETE FROM memories")
        other.close()
        put(connection, "here")

    await in_file.write(read_then_write)
    assert await in_file.read(get, "here") == 1


async def test_a_full_disk_is_reported_and_overcome(in_file: Database, file: Path):
    """What did not fit is not half there, and the same store goes on when there is room again."""

    def fill(connection: Connection) -> None:
        put(connection, "small")
        put(connection, "large", ["x" * 10_000] * 10)

    pages = await in_file.read(pragma, "page_count")
    await in_file.read(pragma, f"max_page_count={pages}")
    with pytest.raises(StoreError) as caught:
        await in_file.write(fill)
    assert caught.value.message == f"the store {file}: the disk is full"
    assert not caught.value.permanent
    await in_file.read(pragma, "max_page_count=1000000")
    assert await in_file.read(get, "small") is None
    await in_file.write(fill)
    assert await in_file.read(get, "small") == 1


async def test_a_file_that_may_not_be_written_is_reported(in_file: Database):
    """The remedy names permissions, and reading goes on."""
    await in_file.read(pragma, "query_only=1")
    with pytest.raises(StoreError, match="it may not be written") as caught:
        await in_file.write(put, "here")
    assert "permission" in caught.value.remedy
    assert not caught.value.permanent
    assert await in_file.read(get, "here") is None


@pytest.mark.parametrize("create", [True, False])
async def test_a_file_of_something_else_is_refused(file: Path, create: bool):
    """The file is named, and left as it is."""
    notes = b"These are notes, not a database. " * 200
    file.write_bytes(notes)
    error = await refused(file, create=create)
    assert error.message == f"the store {file}: it is not an SQLite database"
    assert error.permanent
    assert file.read_bytes() == notes


async def test_a_damaged_file_is_reported(file: Path):
    """A store whose pages were overwritten cannot be opened, and the remedy is a backup."""
    async with Database.opened(parse_url(str(file))) as database:
        await database.write(put, "large", ["x" * 10_000] * 10)
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\xa5" * (len(whole) - 100))
    error = await refused(file)
    assert error.message == f"the store {file}: the file is damaged"
    assert "put back a backup" in error.remedy
    assert error.permanent


async def test_a_folder_is_no_store(tmp_path: Path):
    """A folder's name in place of a file's is reported."""
    assert (await refused(tmp_path)).message == f"the store {tmp_path}: it cannot be opened"


async def test_a_store_is_made_only_if_asked_for(tmp_path: Path):
    """A command that only looks leaves neither a file nor a folder behind."""
    file = tmp_path / "nowhere" / "understudy.db"
    error = await refused(file, create=False)
    assert error.message == f"the store {file}: there is none"
    assert "understudy run" in error.remedy
    assert list(tmp_path.iterdir()) == []


async def test_a_missing_folder_is_made(tmp_path: Path):
    """A daemon's first start makes the folder, for this user only."""
    file = tmp_path / "nowhere" / "understudy.db"
    async with Database.opened(parse_url(str(file))) as database:
        await database.write(put, "here")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path):
    """The folder is named, not only the file."""
    (tmp_path / "file").touch()
    error = await refused(tmp_path / "file" / "understudy.db")
    assert f"{tmp_path / 'file'} cannot be made" in error.message


@pytest.mark.parametrize("create", [True, False])
async def test_a_server_that_cannot_be_reached_is_named_without_the_password(create: bool):
    """The address is shown with its password masked; a server may come back."""
    pytest.importorskip("psycopg")
    error = await refused(f"postgresql://me:{PASSWORD}@127.0.0.1:1/db", create=create)
    assert "me:***@127.0.0.1:1/db" in error.message
    assert not error.permanent
    assert PASSWORD not in f"{error} {error.remedy} {error.__cause__}"


async def test_an_open_store_shows_no_password(url: URL, database: Database):
    """The place that is shown to people has the name and not the password."""
    assert str(url.database) in database.where
    if url.password is not None:
        assert f":{url.password}@" not in database.where
        assert ":***@" in database.where


async def test_a_missing_driver_is_reported(monkeypatch: pytest.MonkeyPatch):
    """PostgreSQL's driver is an extra, and the remedy installs it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = await refused(f"postgresql://me:{PASSWORD}@host/db")
    assert "its driver is not installed" in error.message
    assert "understudy[postgresql]" in error.remedy
    assert error.permanent
    assert PASSWORD not in f"{error} {error.__cause__}"


async def test_a_statement_that_is_refused_is_a_store_error(database: Database):
    """The database's own words are passed on, and the next call works."""
    with pytest.raises(StoreError, match="nowhere"):
        await database.read(lambda connection: connection.execute(text("SELECT * FROM nowhere")))
    assert await database.read(get, "here") is None


async def test_an_error_does_not_repeat_what_was_to_be_written(database: Database):
    """What a model or a user wrote is in no message."""
    row = {"daemon": "secret words", "name": "n", "value": 1, "at": None}
    with pytest.raises(StoreError, match=r"(?i)not.null") as caught:
        await database.write(lambda connection: connection.execute(insert(memories), row))
    assert "secret words" not in f"{caught.value} {caught.value.remedy}"
