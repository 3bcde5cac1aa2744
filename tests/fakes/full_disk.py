"""A disk for a store that a test fills and empties again, in each way that this machine has."""

import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S

SIZE_MB = 16


@dataclass(frozen=True)
class Disk:
    """A folder on it, and what fills and empties it.

    Args:
        fill: Given the process that writes there, leaves it no room for another byte.
        empty: Gives it room again.
    """

    folder: Path
    fill: Callable[[int], None]
    empty: Callable[[int], None]


@contextmanager
def small_file_system(folder: Path) -> Iterator[Disk]:
    """Mount one of a few megabytes, as root may; full, it says ENOSPC."""
    ballast = folder / "ballast"

    def fill(_: int) -> None:
        # The log beside a store has room of its own, in what it may write over.
        for store in folder.glob("*.db"):
            with closing(sqlite3.connect(store, timeout=PATIENCE_S)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with ballast.open("ab", buffering=0) as file:
            size = 1 << 20
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2

    def empty(_: int) -> None:
        ballast.unlink()

    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "understudy-test", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield Disk(folder, fill, empty)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def limited_files(folder: Path) -> Iterator[Disk]:
    """Let the process write no file longer, as anybody may; then it gets EFBIG."""

    def fill(pid: int) -> None:
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))

    def empty(pid: int) -> None:
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))

    yield Disk(folder, fill, empty)


WAYS = {"full": small_file_system, "limited": limited_files}
if os.geteuid() != 0:
    # Whoever is not root may mount nothing; the other way is there for everybody.
    del WAYS["full"]
