"""A real PostgreSQL of its own: Debian's, in a temporary folder, gone with the tests.

It refuses to run as root, so root starts it as the user that Debian's package makes.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
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

    def __init__(self, folder: Path, port: int, command: Sequence[str], ready: Path) -> None:
        self.port = port
        self._folder = folder
        self._command = command
        self._ready = [str(ready), "-q", "-h", "127.0.0.1", "-p", str(port)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self._folder / "log"
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=file, stderr=file
            )
        while subprocess.run(self._ready, check=False).returncode:
            assert self._process.poll() is None, log.read_text()

    def stop(self, how: str = "fast") -> None:
        """End it: ``fast`` ends its clients, ``immediate`` is a crash that it recovers from."""
        assert self._process is not None
        self._process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[how])
        self._process.wait()

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
    options = [
        "-D",
        str(data),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-k",
        str(folder),
        "-c",
        "fsync=off",
    ]
    command = [*as_user, "setpriv", "--pdeathsig=TERM", str(bin_ / "postgres"), *options]
    server = PostgreSQL(folder, port, command, bin_ / "pg_isready")
    server.start()
    try:
        yield server
    finally:
        server.stop()
