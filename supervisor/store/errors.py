"""The one error of the store, and how a database's own words become it."""

import sqlite3

from sqlalchemy.exc import DBAPIError

from chaos.errors import UnderstudyError


class StoreError(UnderstudyError):
    """Nothing could be read or written; try again unless *permanent*.

    Attributes:
        permanent: Only a person can fix it: the file is broken, or of a newer Understudy.
    """

    def __init__(self, message: str, *, remedy: str, permanent: bool = False) -> None:
        super().__init__(message, remedy=remedy)
        self.permanent = permanent


# SQLite's primary result codes: what it is, what to do, and whether that takes a person.
# Source: https://sqlite.org/rescode.html
_SQLITE: dict[int, tuple[str, str, bool]] = {
    sqlite3.SQLITE_BUSY: (
        "another process holds it locked",
        "End the other process that writes to it; one daemon has one store.",
        False,
    ),
    sqlite3.SQLITE_FULL: (
        "the disk is full",
        "Free space on its disk, or move the store to another.",
        False,
    ),
    sqlite3.SQLITE_IOERR: (
        "reading or writing failed",
        "Check its disk (dmesg, df); a network file system cannot hold it.",
        False,
    ),
    sqlite3.SQLITE_READONLY: (
        "it may not be written",
        "Give this user write permission on the file and on its folder.",
        False,
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened",
        "Check that its folder exists, and that this user may write in it.",
        True,
    ),
    sqlite3.SQLITE_PERM: (
        "it may not be opened",
        "Give this user permission on the file and on its folder.",
        True,
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged",
        "Move it away with its -wal and -shm, and put back a backup, or let a new one be made.",
        True,
    ),
    sqlite3.SQLITE_NOTADB: (
        "it is not an SQLite database",
        "Name another file, or move this one away.",
        True,
    ),
}
_SQLITE[sqlite3.SQLITE_LOCKED] = _SQLITE[sqlite3.SQLITE_BUSY]
_SQLITE[sqlite3.SQLITE_PROTOCOL] = _SQLITE[sqlite3.SQLITE_BUSY]


def explain(error: DBAPIError, where: str) -> StoreError:
    """Say what *error* means for the store at *where*.

    Only the driver's own words are used: SQLAlchemy's hold what was to be written.
    """
    # Extended codes keep the primary one in their low byte.
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in _SQLITE:
        what, remedy, permanent = _SQLITE[code]
        return StoreError(f"the store {where}: {what}", remedy=remedy, permanent=permanent)
    words = str(error.orig).strip().splitlines()
    return StoreError(
        f"the store {where}: {words[0] if words else type(error.orig).__name__}",
        remedy="Check that the database runs and that its URL, user and permissions are right.",
    )
