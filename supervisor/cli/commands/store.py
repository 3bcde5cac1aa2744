"""``understudy store``: look after the daemon's store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import UsageError
from chaos.exit_code import ExitCode
from supervisor.cli.gateway_options import ConfigOption

if TYPE_CHECKING:
    from sqlalchemy import URL

    from supervisor.stop import Stop


def add(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="Look after the daemon's store.")
    group.command("check")(check)
    group.command("backup")(backup)
    group.command("restore")(restore)
    group.command("vacuum")(vacuum)
    app.add_typer(group, name="store")


def check(*, config: ConfigOption = None) -> None:
    """Look for damage, and for records that lead nowhere.

    Exit code: 0 all is well, 1 something is not, 2 there is no store or it cannot be opened.
    """
    from supervisor.cli.console import out
    from supervisor.stop import run

    url = _url(config)

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock
        from supervisor.store.location import file_of
        from supervisor.store.records import Home
        from supervisor.store.store import Store

        async with Store.opened(url, Home("", ""), SystemClock(), create=False) as store:
            problems = await store.check()
            file = file_of(url)
            size = f", {file.stat().st_size / 1e6:.1f} MB" if file is not None else ""
            for problem in problems:
                out.print(problem, markup=False, soft_wrap=True)
            if not problems:
                out.print(f"{store.where} is in good order{size}.", markup=False, soft_wrap=True)
        return ExitCode.FAILED if problems else ExitCode.OK

    raise typer.Exit(run(command))


def backup(
    copy: Annotated[Path, typer.Argument(help="The file to write")],
    *,
    config: ConfigOption = None,
) -> None:
    """Copy the store's file while the daemon goes on; a PostgreSQL has pg_dump for that.

    understudy store backup /backup/understudy.db
    """
    from supervisor.cli.console import out
    from supervisor.store.copies.backup import backup as copy_file

    file = _file(config, otherwise="pg_dump")
    if copy.is_dir():
        copy = copy / file.name
    if copy.exists():
        raise UsageError(f"{copy} is there already", remedy="Name a file that is not there yet.")
    copy_file(file, copy)
    out.print(f"{copy}: {copy.stat().st_size / 1e6:.1f} MB", markup=False, soft_wrap=True)


def restore(
    copy: Annotated[
        Path | None,
        typer.Argument(help="The copy to put back (default: of before the last upgrade)"),
    ] = None,
    *,
    config: ConfigOption = None,
) -> None:
    """Put back a copy of the store; the store as it is now is kept beside it.

    The way back after an upgrade that has changed the store's schema: without a name it puts back
    the copy of before that, and does nothing where this version can use the store as it is. The
    daemon must not run.
    """
    from chaos.clock import SystemClock
    from supervisor.cli.console import out
    from supervisor.store import daemon_lock
    from supervisor.store.copies.restore import restore as put_back

    file = _file(config, otherwise="pg_restore")
    if copy is not None and not copy.is_file():
        raise UsageError(f"{copy} is not there", remedy=f"Copies are beside {file}.")
    since = SystemClock().now()
    with daemon_lock.held(file, daemon="understudy store restore", since=since, address=""):
        done = put_back(file, copy)
    if done is None:
        out.print(f"{file} can be used as it is.", markup=False, soft_wrap=True)
    else:
        used, kept = done
        out.print(f"{file} is {used.name} again; it is kept as {kept.name}.", markup=False)


def vacuum(*, config: ConfigOption = None) -> None:
    """Give space that deleted records have left back to the disk.

    The daemon waits while this runs.
    """
    from supervisor.cli.console import out
    from supervisor.stop import run

    url = _url(config)

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock
        from supervisor.store.records import Home
        from supervisor.store.store import Store

        async with Store.opened(url, Home("", ""), SystemClock(), create=False) as store:
            await store.vacuum()
            out.print(f"{store.where} is packed.", markup=False, soft_wrap=True)
        return ExitCode.OK

    raise typer.Exit(run(command))


def _url(config: Path | None) -> "URL":
    from supervisor.settings.file import load_settings
    from supervisor.store.location import store_url

    return store_url(load_settings(config).store)


def _file(config: Path | None, *, otherwise: str) -> Path:
    """Name the store's file.

    Args:
        otherwise: The program that does this for a PostgreSQL.

    Raises:
        UsageError: It has no file, or the file is not there.
    """
    from supervisor.store.location import file_of

    file = file_of(_url(config))
    if file is None:
        raise UsageError("the store is a PostgreSQL", remedy=f"Use {otherwise}.")
    if not file.exists():
        raise UsageError(
            f"there is no store at {file}", remedy="Name its configuration with --config."
        )
    return file
