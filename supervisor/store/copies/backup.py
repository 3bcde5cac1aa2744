"""Copies of a store's file, made while it is in use, by SQLite's own backup."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from supervisor.store.errors import StoreError


def backup(file: Path, copy: Path) -> None:
    """Copy the store *file* to *copy*, whole or not at all, for this user's eyes only.

    Raises:
        StoreError: It cannot be read, or the copy cannot be written.
    """
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL, 0o600))
        source = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(unfinished)) as target:
            source.backup(target)
        unfinished.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            unfinished.unlink()
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise StoreError(
            f"the store {file} cannot be copied to {copy}: {why}",
            remedy="Free space beside it, and check that this user may write there.",
            permanent=True,
        ) from error
