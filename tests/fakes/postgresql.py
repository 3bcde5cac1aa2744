"""A real PostgreSQL of its own: Debian's, in a temporary folder, gone with the tests.

It refuses to run as root, so root starts it as the user that Debian's package makes.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy import URL

from chaos.process.ports import free_port

PACKAGES = Path("/usr/lib/postgresql")
USER = "postgres"


def binaries() -> Path | None:
    """Find the folder of the newest PostgreSQL that is installed; None if there is none."""
    found = [path.parent for path in PACKAGES.glob("*/bin/initdb")]
    newest = max(found, key=lambda path: int(path.parent.name), default=None)
    if newest is not None:
        return newest
    somewhere = shutil.which("initdb")
    return Path(somewhere).resolve().parent if somewhere else None


class PostgreSQL:
    """A running server, and databases in it.

    Attributes:
        port: Where it listens, on 127.0.0.1.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder

    def url(self, database: str) -> str:
        """Write the URL of *database*."""
        return f"postgresql://{USER}:none@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database until exit; yields its URL."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(USER), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield self.url(name)
        finally:
            with psycopg.connect(self.url(USER), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def close(self, url: URL, *, closed: bool) -> None:
        """Refuse everybody at the database of *url*, and end who is there; or let them in again."""
        name = str(url.database)
        with psycopg.connect(self.url(USER), autocommit=True) as connection:
            allowed = "false" if closed else "true"
            connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {allowed}')
            if closed:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    [name],
                )


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """Run a server until exit."""
    # Not in a folder of pytest's, which other runs close to other users.
    with (
        TemporaryDirectory(prefix="understudy-postgresql-") as folder,
        _running_in(Path(folder)) as server,
    ):
        yield server


@contextmanager
def _running_in(folder: Path) -> Iterator[PostgreSQL]:
    bin_ = binaries()
    assert bin_ is not None, "no PostgreSQL: run `make test-system`, which installs Debian's"
    as_user: list[str] = []
    if os.geteuid() == 0:
        account = pwd.getpwnam(USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    data, port = folder / "data", free_port()
    make = [
        str(bin_ / "initdb"),
        "--auth=trust",
        "--no-sync",
        "--encoding=UTF8",
        f"--username={USER}",
    ]
    subprocess.run([*as_user, *make, "-D", str(data)], check=True, cwd=folder, capture_output=True)
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(
        [
            *as_user,
            "setpriv",
            "--pdeathsig=TERM",
            str(bin_ / "postgres"),
            "-D",
            str(data),
            *options,
        ],
        cwd=folder,
        stdout=log,
        stderr=log,
    )
    try:
        ready = [str(bin_ / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(ready, check=False).returncode:
            assert server.poll() is None, (folder / "log").read_text()
        yield PostgreSQL(folder, port)
    finally:
        # Fast: it ends its clients, for whom SIGTERM would have it wait.
        server.send_signal(signal.SIGINT)
        server.wait()
        log.close()
