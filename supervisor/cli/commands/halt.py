"""``understudy halt`` and ``resume``: stop all drilling; go on."""

from typing import Annotated

import typer

from chaos.errors import UnderstudyError, UsageError
from supervisor.cli.commands.status import asked
from supervisor.cli.gateway_options import Access, with_access


def add(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("halt")(with_access(halt))
    app.command("resume")(with_access(resume))


def halt(
    *,
    access: Access,
    reason: Annotated[str, typer.Option(help="Why, for whoever wonders later")] = "",
    for_: Annotated[
        str | None,
        typer.Option("--for", help="How long, such as 30m or 2h (default: until 'resume')"),
    ] = None,
    this_daemon: Annotated[
        bool,
        typer.Option("--this-daemon", help="Only this daemon, not every one of its store"),
    ] = False,
) -> None:
    """Stop all drilling at once, also across restarts; the running drill is broken off.

    understudy halt --reason "new GPU driver" --for 2h
    """
    from supervisor.cli.console import out
    from supervisor.settings.values import parse_duration

    try:
        length = None if for_ is None else parse_duration(for_)
    except ValueError as error:
        raise UsageError(
            f"--for {for_!r} is {error}", remedy="Such as: --for 30m, --for 2h, --for 1d"
        ) from None
    try:
        begun = asked(
            access, lambda daemon: daemon.halt(reason, length, everywhere=not this_daemon)
        )
    except UnderstudyError as error:
        _halt_by_file(access, reason, error)
        return
    until = f" until {begun.until:%Y-%m-%d %H:%M:%S %Z}" if begun.until else ""
    out.print(f"Halted{until}. 'understudy resume' goes on.", markup=False)


def resume(
    *,
    access: Access,
    this_daemon: Annotated[
        bool,
        typer.Option("--this-daemon", help="Only this daemon's own halt, not that of all"),
    ] = False,
) -> None:
    """Go on drilling."""
    from supervisor.cli.console import out

    asked(access, lambda daemon: daemon.resume(everywhere=not this_daemon))
    out.print("Drills go on.")


def _halt_by_file(access: Access, reason: str, error: UnderstudyError) -> None:
    """Halt where neither the API nor the store can be told: a full disk, a daemon that hangs.

    Raises:
        UnderstudyError: There is no daemon here, or the file cannot be made either.
    """
    from supervisor.cli.console import complain, out
    from supervisor.store.halt_file import halt_file, write_halt
    from supervisor.store.location import store_url

    file = halt_file(store_url(access.settings().store))
    if not file.parent.is_dir():
        raise error
    complain(error)
    write_halt(file, reason)
    out.print(
        f"Halted by the file {file}, until 'understudy resume' or its removal.",
        markup=False,
        soft_wrap=True,
    )
