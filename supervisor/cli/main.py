"""The command line: one file per command in ``supervisor.cli.commands``, listed here."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from chaos.errors import UnderstudyError
from chaos.exit_code import ExitCode
from chaos.process.core_dumps import forbid_core_dumps
from supervisor.cli.commands import COMMANDS
from supervisor.cli.version import installed_version

app = typer.Typer(
    name="understudy",
    help="Rehearse the fallbacks of an LLM gateway, and prove which hop answered.\n\n"
    "Start with: understudy demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help comes at once; rich's takes longer to load than everything else together.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"understudy {installed_version()}")
        raise typer.Exit


@app.callback()
def _understudy(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Rehearse the fallbacks of an LLM gateway, and prove which hop answered."""


for _add in COMMANDS:
    _add(app)


def main() -> None:
    """Run the command line; every error that a person can mend ends with exit code 2."""
    _survive_any_encoding()
    forbid_core_dumps()
    try:
        # Slips of the pen, and the code of each command, typer ends with by itself.
        app(prog_name="understudy")
    except UnderstudyError as error:
        from supervisor.cli.console import complain

        complain(error)
        sys.exit(ExitCode.ERROR)
    except BaseExceptionGroup as group:
        sys.exit(_all_of(group))


def _survive_any_encoding() -> None:
    """Write what the terminal's encoding lacks as a question mark, instead of not at all."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _all_of(group: BaseExceptionGroup[BaseException]) -> int:
    """Complain about what several tasks found, if a person can mend all of it."""
    from supervisor.cli.console import complain

    mendable, bugs = group.split(UnderstudyError)
    if mendable is None or bugs is not None:
        raise group
    for error in _leaves(mendable):
        complain(error)
    return ExitCode.ERROR


def _leaves(group: BaseExceptionGroup[UnderstudyError]) -> Iterator[UnderstudyError]:
    for inner in group.exceptions:
        if isinstance(inner, BaseExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner
