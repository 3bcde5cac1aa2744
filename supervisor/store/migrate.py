"""Bring a database to the newest schema, in one transaction, after a backup.

Alembic is imported only where there is something to do: it costs memory that a daemon keeps.
"""

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from supervisor.store.copies.backup import backup
from supervisor.store.errors import StoreError
from supervisor.store.tables import HEAD, VERSION_TABLE, metadata

MIGRATING = 0x756E6465
"""The number of PostgreSQL's lock for migrations; any that others hardly choose."""

FOLDER = Path(__file__).parent / "migrations"


def is_current(connection: Connection) -> bool:
    """Report whether there is nothing to do."""
    return current(connection) == HEAD


def migrate(
    connection: Connection, *, where: str, file: Path | None = None, create: bool = True
) -> None:
    """Make missing tables and change older ones; nothing, if all is as it should be.

    Args:
        file: The store's file, which is copied first; a server has backups of its own.
        create: Refuse instead of changing anything, if not.

    Raises:
        StoreError: It belongs to a newer Understudy, or has tables of somebody else.
    """
    if connection.dialect.name == "postgresql":
        # Daemons that start together wait here for the one that makes the tables.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
    version = current(connection)
    if version == HEAD:
        return
    if version is None:
        _refuse_foreign(connection, where)
    elif version not in revisions():
        raise StoreError(
            f"the store {where}: its schema ({version}) is newer than this Understudy ({HEAD})",
            remedy="Install the newer Understudy again, or go back to the store as it was before "
            "the upgrade: understudy store restore",
            permanent=True,
        )
    if not create:
        raise StoreError(
            f"the store {where}: its schema is older than this Understudy",
            remedy="Start the daemon of this version once; it brings the store up to date.",
            permanent=True,
        )
    if version is not None and file is not None:
        _keep_old(file, version)
    _upgrade(connection)


def revisions() -> frozenset[str]:
    """List the schemas that this version knows."""
    return frozenset(file.name[1:5] for file in FOLDER.glob("r[0-9]*.py"))


def current(connection: Connection) -> str | None:
    """Name the migration that the database is at; None if it is empty."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    versions = table(VERSION_TABLE, column("version_num"))
    return connection.scalar(select(versions.c.version_num))


def old_copy(file: Path, version: str) -> Path:
    """Name the copy of *file* from before its schema *version* was left."""
    return file.with_name(f"{file.name}.before-{version}")


def _keep_old(file: Path, version: str) -> None:
    """Copy the store as it is; the copies of earlier migrations go."""
    copy = old_copy(file, version)
    backup(file, copy)
    for older in file.parent.glob(f"{file.name}.before-*"):
        if older != copy:
            older.unlink(missing_ok=True)


def _refuse_foreign(connection: Connection, where: str) -> None:
    taken = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if taken:
        raise StoreError(
            f"the store {where}: its table {taken[0]!r} was not made by Understudy",
            remedy="Give Understudy a file or a database of its own.",
            permanent=True,
        )


def _upgrade(connection: Connection) -> None:
    from alembic.config import Config  # noqa: PLC0415 -- see above
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    script = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])
    with EnvironmentContext(
        config,
        script,
        # What alembic's own `upgrade` hands in.
        fn=lambda revision, _: script._upgrade_revs("head", revision),  # noqa: SLF001
    ) as environment:
        # Within the caller's transaction, which alembic leaves to the caller.
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()
