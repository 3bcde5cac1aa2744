"""The way back to an older version: the store as it was before the newer one changed its schema."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from supervisor.store.copies.backup import backup
from supervisor.store.errors import StoreError
from supervisor.store.migrate import revisions
from supervisor.store.tables import VERSION_TABLE


def restore(file: Path, copy: Path | None = None) -> tuple[Path, Path] | None:
    """Put *copy* in the place of the store *file*, which is kept beside it.

    The caller holds the daemon's lock.

    Args:
        copy: By default the copy of before the last migration, if this version needs it.

    Returns:
        The copy that was put back, and where the store as it was is kept; None if the store
        can be used as it is.

    Raises:
        StoreError: There is no copy that this version can use, or it cannot be put back.
    """
    now = schema_of(file)
    if copy is None:
        if now in revisions():
            return None
        copy = _newest_usable(file, now)
    elif schema_of(copy) not in revisions():
        raise StoreError(
            f"{copy}: its schema ({schema_of(copy)}) is not one that this Understudy knows",
            remedy="Install the version that made it.",
            permanent=True,
        )
    kept = file.with_name(f"{file.name}.schema-{now}")
    backup(file, kept)
    fresh = file.with_name(f"{file.name}.restored")
    backup(copy, fresh)
    owner = file.stat()
    with suppress(PermissionError):  # Only root may, and only for root it differs.
        for each in (kept, fresh):
            os.chown(each, owner.st_uid, owner.st_gid)
    # The log of the old file must not be laid over the new one.
    for log in (f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(log).unlink(missing_ok=True)
    fresh.replace(file)
    return copy, kept


def schema_of(file: Path) -> str | None:
    """Name the schema of a store's *file*; None if it has none.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            row = opened.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608 -- a constant
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise _unreadable(file, error) from error
    except sqlite3.Error as error:
        raise _unreadable(file, error) from error
    return str(row[0]) if row else None


def _newest_usable(file: Path, now: str | None) -> Path:
    known = revisions()
    copies = sorted(file.parent.glob(f"{file.name}.before-*"), reverse=True)
    for copy in copies:
        if copy.name.rpartition("-")[2] in known and schema_of(copy) in known:
            return copy
    raise StoreError(
        f"the store {file}: its schema ({now}) is newer than this Understudy, and no copy of "
        "before that is beside it",
        remedy="Install the newer version again, or move the store away and let a new one be made.",
        permanent=True,
    )


def _unreadable(file: Path, error: sqlite3.Error) -> StoreError:
    return StoreError(
        f"{file} cannot be read: {error}",
        remedy="Name the copy of a store, as 'understudy store backup' and upgrades make it.",
        permanent=True,
    )
