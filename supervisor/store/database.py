"""A database on threads of its own: every call is one transaction, whole or not at all.

Calls run in the order in which they came, and the event loop never waits for a disk. SQLite's
readers have a thread apart: where another process holds the file locked, only those who write wait
for it.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from supervisor.store.errors import StoreError, explain
from supervisor.store.location import exists, file_of, make_folder, shown
from supervisor.store.migrate import is_current, migrate

P = ParamSpec("P")
T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0
"""How long SQLite waits for another process's transaction to end."""

OVERTAKES_AFTER_S = 0.1
"""How long a reader of SQLite waits for the writes before it, one of which may wait for a lock."""

CONNECT_TIMEOUT_S = 5
"""How long PostgreSQL may take to answer a call at its door."""

WAL_BYTES = 16 * 1024 * 1024
"""SQLite's log is cut back to this after a burst."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA journal_size_limit={WAL_BYTES}",
)


class Database:
    """Runs functions that take a connection, each in a transaction.

    Attributes:
        where: The place, for people.
    """

    def __init__(
        self, engine: Engine, writer: ThreadPoolExecutor, reader: ThreadPoolExecutor, where: str
    ) -> None:
        self.where = where
        self._engine = engine
        self._writer = writer
        self._is_file = engine.dialect.name == "sqlite"
        # PostgreSQL's readers wait for what its writers wait for: that it answers.
        self._reader = reader if self._is_file else writer
        self._written: Future[Any] = Future()
        self._written.set_result(None)

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: URL, *, create: bool = True) -> AsyncIterator["Database"]:
        """Open the database at *url*, with the newest schema, until exit.

        Args:
            create: Make what is missing, and bring what is older up to date.

        Raises:
            StoreError: It cannot be opened, is damaged, or is of a newer version.
        """
        writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-read")
        engine = None
        try:
            file = file_of(url)
            if file is not None:
                _touch(file, create=create)
            engine = _engine(url)
            database = cls(engine, writer, reader, shown(url))
            if not await database.read(is_current):
                await database.write(migrate, where=database.where, file=file, create=create)
            yield database
        finally:
            if engine is not None:
                # After what is still running in either thread.
                await asyncio.shield(asyncio.wrap_future(reader.submit(lambda: None)))
                closed = writer.submit(engine.dispose)
                await asyncio.shield(asyncio.wrap_future(closed))
            reader.shutdown(wait=False)
            writer.shutdown(wait=False)

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *work* on one consistent view.

        Raises:
            StoreError: It could not be read.
        """
        # SQLite's readers see one state of the file; PostgreSQL has to be asked for as much.
        options = {} if self._is_file else {"isolation_level": "REPEATABLE READ"}
        before = self._written

        def transact() -> T:
            if self._is_file:
                wait({before}, timeout=OVERTAKES_AFTER_S)
            return self._transact(options, lambda connection: work(connection, *args, **kwargs))

        return await asyncio.wrap_future(self._reader.submit(transact))

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *work* and commit: what has returned outlives a power failure.

        Raises:
            StoreError: Nothing of it was written.
        """
        options = {"understudy_writes": "FULL"}
        return await self._write(options, lambda connection: work(connection, *args, **kwargs))

    async def alone(self, work: Callable[[Connection], T]) -> T:
        """Run *work* outside of any transaction, as VACUUM asks for.

        Raises:
            StoreError: It could not be done.
        """
        options = {"isolation_level": "AUTOCOMMIT", "understudy_writes": None}
        return await self._write(options, work)

    async def _write(self, options: dict[str, Any], work: Callable[[Connection], T]) -> T:
        # A caller that is cancelled leaves a transaction that runs to its end, or never began.
        written = self._written = self._writer.submit(self._transact, options, work)
        return await asyncio.wrap_future(written)

    def _transact(self, options: dict[str, Any], work: Callable[[Connection], T]) -> T:
        try:
            with (
                self._engine.connect().execution_options(**options) as connection,
                connection.begin(),
            ):
                return work(connection)
        except DBAPIError as error:
            # Not its cause: PostgreSQL's words hold what was to be written.
            raise explain(error, self.where) from None


def _touch(file: Path, *, create: bool) -> None:
    """Make *file* for this user's eyes only; its -wal and -shm are made like it."""
    if not create and not exists(file):
        raise StoreError(
            f"the store {file}: there is none",
            remedy="Start the daemon once (understudy run), or name its store with store.url.",
            permanent=True,
        )
    if create:
        make_folder(file.parent)
    # What is wrong with the file, SQLite says better.
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _engine(url: URL) -> Engine:
    # Parameters hold what models and users wrote: never in an error, never in a log.
    try:
        if file_of(url) is None:
            return create_engine(
                url,
                hide_parameters=True,
                pool_size=1,
                max_overflow=0,
                pool_pre_ping=True,
                connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
            )
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            f"the store {url.render_as_string()}: its driver is not installed",
            remedy="pip install 'understudy[postgresql]'",
            permanent=True,
        ) from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    synchronous = options.get("understudy_writes")
    if synchronous is None:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
    # Taking the lock at once: a reader that turns writer cannot wait for another writer.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
