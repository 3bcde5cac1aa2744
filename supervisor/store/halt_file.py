"""A halt that needs neither the API nor the database: a file beside the store.

Whoever makes it (``touch halt``) halts the daemon, whoever removes it ends that. Its text is the
reason.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from supervisor.store.errors import StoreError
from supervisor.store.evidence import clean
from supervisor.store.location import state_beside
from supervisor.store.records import Halt

NAME = "halt"
MOST_CHARACTERS = 500


def halt_file(url: URL) -> Path:
    """Name the file, where the store is at *url*."""
    return state_beside(url) / NAME


def read_halt(file: Path) -> Halt | None:
    """Read the halt that *file* begins; None if it is not there."""
    try:
        since = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        text = file.read_bytes()[: 4 * MOST_CHARACTERS].decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        # It is there, whatever it says.
        return Halt(f"{file} is there, and cannot be read: {error.strerror}", datetime.now(UTC))
    reason = clean(" ".join(text.split()), MOST_CHARACTERS)
    return Halt(reason or f"{file} is there", since)


def write_halt(file: Path, reason: str) -> None:
    """Make *file*; on a full disk it is empty, and holds all the same.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        file.touch(mode=0o600)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be made: {error.strerror}",
            remedy="Make it as the daemon's user, or end the daemon.",
            permanent=True,
        ) from error
    with suppress(OSError):
        file.write_text(f"{reason}\n", "utf-8")


def end_halt(file: Path) -> bool:
    """Remove *file*; False if it was not there.

    Raises:
        StoreError: It cannot be removed.
    """
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(
            f"{file} cannot be removed: {error.strerror}",
            remedy="Remove it as the daemon's user: while it is there, nothing is drilled.",
            permanent=True,
        ) from error
    return True
