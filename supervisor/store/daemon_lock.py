"""One daemon for one file: the second is refused, and learns who the first is.

The lock is the kernel's, so that it ends with its holder, however that ends.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from supervisor.store.errors import StoreError
from supervisor.store.location import make_folder

LOOKS, LOOK_S = 5, 0.05
"""How often, and after which pause, a lock is tried that somebody has."""


@contextmanager
def held(file: Path, *, daemon: str, since: datetime, address: str) -> Iterator[None]:
    """Hold the lock of the store *file* until exit, and say in it who does.

    Raises:
        StoreError: Another daemon holds it, or it cannot be made.
    """
    lock = lock_of(file)
    make_folder(file.parent)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"the lock {lock} cannot be made: {error.strerror}",
            remedy="Let this user write into the store's folder, or name another with store.url.",
            permanent=True,
        ) from error
    try:
        _lock(descriptor, file)
        words = {
            "daemon": daemon,
            "pid": os.getpid(),
            "since": since.isoformat(timespec="seconds"),
            "address": address,
        }
        # A full disk keeps nobody from starting: then the lock is there without a name.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(words).encode(), 0)
        yield
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, file: Path) -> None:
    for last in (*(False,) * LOOKS, True):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if last:
                raise _taken(file) from error
            # Whoever only looks who holds it does so for a moment.
            time.sleep(LOOK_S)
        except OSError as error:
            raise StoreError(
                f"the lock {lock_of(file)} cannot be taken: {error.strerror}",
                remedy="Put the store on a file system with locks; most network ones have none.",
                permanent=True,
            ) from error
        else:
            return


def holder(file: Path) -> dict[str, Any] | None:
    """Say who holds the lock of the store *file*; None if nobody does."""
    try:
        descriptor = os.open(lock_of(file), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        try:
            words = json.loads(os.pread(descriptor, 4096, 0))
        except ValueError:
            words = None
        return words if isinstance(words, dict) else {}
    finally:
        os.close(descriptor)
    return None


def lock_of(file: Path) -> Path:
    """Name the lock of the store *file*."""
    return file.with_name(f"{file.name}.lock")


def _taken(file: Path) -> StoreError:
    who = holder(file) or {}
    named = f"{who['daemon']!r} (process {who['pid']}, since {who['since']})" if who else "another"
    return StoreError(
        f"the store {file} belongs to a running daemon: {named}",
        remedy="Use that one (understudy status), end it first, or give this one a store of its "
        "own with store.url.",
        permanent=True,
    )
