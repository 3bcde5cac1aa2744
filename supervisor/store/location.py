"""Where the store is: the setting, or a file in this user's state directory."""

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from supervisor.settings.daemon import StoreSettings
from supervisor.store.errors import StoreError

FILE = "understudy.db"


def state_folder() -> Path:
    """Name the folder for what survives a restart, as systemd and the XDG convention have it."""
    systemd = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if systemd:
        return Path(systemd)
    xdg = os.environ.get("XDG_STATE_HOME", "")
    base = Path(xdg) if xdg.startswith("/") else Path.home() / ".local" / "state"
    return base / "understudy"


def store_url(settings: StoreSettings) -> URL:
    """Name the store of *settings*.

    Raises:
        StoreError: The address is not a database that can be used.
        UsageError: The password is not where it should be.
    """
    if settings.url is None:
        return parse_url(str(state_folder() / FILE))
    url = parse_url(settings.url.get_secret_value())
    if settings.password is not None:
        url = url.set(password=settings.password.reveal().get_secret_value())
    return url


def parse_url(url: str) -> URL:
    """Read *url*; a bare path is a file for SQLite.

    Raises:
        StoreError: It is not the address of a database that can be used.
    """
    if "://" not in url:
        return URL.create("sqlite+pysqlite", database=str(Path(url).expanduser()))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # The error repeats the address, with its password.
        raise StoreError(
            "store.url is not a database URL",
            remedy="Write sqlite:////var/lib/understudy/understudy.db, or "
            "postgresql://USER@HOST/DATABASE.",
            permanent=True,
        ) from error
    backend = parsed.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise StoreError(
            f"the store cannot be {parsed.set(query={}).render_as_string()}",
            remedy="Name a file with sqlite:///FILE, or a database with postgresql://….",
            permanent=True,
        )
    return parsed.set(drivername="sqlite+pysqlite")


def file_of(url: URL) -> Path | None:
    """Name the store's file; None where it is a server's."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def shown(url: URL) -> str:
    """Write the store's place for people, without a password."""
    file = file_of(url)
    # What follows the question mark may be a password, too.
    return str(file) if file is not None else url.set(query={}).render_as_string()


def state_beside(url: URL) -> Path:
    """Name the folder for what belongs beside the store: the token, the lock, the halt file."""
    file = file_of(url)
    return file.parent if file is not None else state_folder()


def make_folder(folder: Path) -> None:
    """Make the folder for the store, for this user only.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the store's folder {folder} cannot be made: {error.strerror}",
            remedy="Make it for this user, or name another place with store.url.",
            permanent=True,
        ) from error


def exists(file: Path) -> bool:
    """Report whether the store's *file* is there.

    Raises:
        StoreError: This user may not look.
    """
    try:
        return file.exists()
    except OSError as error:
        raise StoreError(
            f"the store {file} cannot be looked at: {error.strerror}",
            remedy="Run this as the daemon's user, or name another store with store.url.",
            permanent=True,
        ) from error
