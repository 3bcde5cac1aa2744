"""The command line: one file per command in ``supervisor.cli.commands``, listed here."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from chaos.errors import UnderstudyError
from chaos.exit_code import ExitCode
from chaos.process.core_dumps import forbid_core_dumps
from supervisor.cli import streams
from supervisor.cli.commands import COMMANDS
from supervisor.cli.streams import OutputLostError
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
    streams.prepare()
    forbid_core_dumps()
    try:
        try:
            # Slips of the pen, and the code of each command, typer ends with by itself.
            app(prog_name="understudy")
        finally:
            streams.flush()
    except Exception as error:  # noqa: BLE001 -- a defect of ours is told as such, with its code
        sys.exit(_ended_by(error))


def _ended_by(error: Exception) -> ExitCode:
    """Complain about what went wrong; what no person can mend is a defect of ours."""
    from supervisor.cli.console import complain
    from supervisor.cli.defect import Invoked, tell

    invoked = Invoked.of(app, sys.argv[1:])
    together = error if isinstance(error, ExceptionGroup) else ExceptionGroup("", [error])
    mendable, defects = together.split(UnderstudyError)
    for each in _leaves(mendable) if mendable is not None else ():
        if isinstance(each, OutputLostError) and invoked.has("--output"):
            each.remedy = "Write it into a file where there is room, with --output FILE."
        complain(each)
    if defects is None:
        return ExitCode.ERROR
    tell(defects, invoked.name)
    return ExitCode.INTERNAL


def _leaves(group: ExceptionGroup[UnderstudyError]) -> Iterator[UnderstudyError]:
    for inner in group.exceptions:
        if isinstance(inner, ExceptionGroup):
            yield from _leaves(inner)
        else:
            yield inner
