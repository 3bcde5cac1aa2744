"""Replace a file at once: whoever reads it finds the old text or the new one, never a half."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

NO_ROOM_BESIDE = (errno.EACCES, errno.EPERM, errno.EROFS)
"""A folder that takes no new file, although the file itself may be written."""

NOT_REPLACEABLE = (errno.EBUSY, errno.EPERM, errno.EACCES)
"""A file that is a mount point, as in a container, or another user's in a shared folder."""


def is_replaceable(path: Path) -> bool:
    """Report whether *path* is a file or not there; a device or a FIFO is only written to."""
    return path.is_file() or not path.exists()


def write_whole(path: Path, text: str) -> None:
    """Write *text* into a file beside *path* and rename it; in place where that is forbidden.

    Raises:
        OSError: It cannot be written; what *path* held is still there.
    """
    path = path.resolve()  # A link stays a link, to the new text.
    if not is_replaceable(path):
        path.write_text(text, "utf-8")
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        if error.errno not in NO_ROOM_BESIDE:
            raise
        path.write_text(text, "utf-8")
        return
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        _like_the_old_one(beside, path)
        _replace(beside, path, text)
    finally:
        beside.unlink(missing_ok=True)


def _replace(beside: Path, path: Path, text: str) -> None:
    try:
        beside.replace(path)
    except OSError as error:
        if error.errno not in NOT_REPLACEABLE:
            raise
        path.write_text(text, "utf-8")


def _like_the_old_one(beside: Path, path: Path) -> None:
    """Give it the mode and the owner of the file that it replaces, or those of any new file."""
    try:
        old = path.stat()
    except FileNotFoundError:
        beside.chmod(0o666 & ~_umask())
        return
    beside.chmod(old.st_mode & 0o777)
    with suppress(OSError):
        os.chown(beside, old.st_uid, old.st_gid)


def _umask() -> int:
    """Read it; the only way is to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
