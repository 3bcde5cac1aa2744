"""``understudy status`` and ``coverage``: how everything stands."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from chaos.exit_code import ExitCode
from supervisor.cli.gateway_options import Access, Format, with_access

if TYPE_CHECKING:
    from supervisor.cli.knowledge import Knowledge
    from supervisor.stop import Stop

T = TypeVar("T")


def add(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("status")(with_access(status))
    app.command("coverage")(with_access(coverage))


def status(
    *,
    access: Access,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table",
) -> None:
    """Show how the daemon is and what is proven; from its store where none runs.

    Exit code: 0 it can do its job, 1 something keeps it from that, 2 there is nothing to ask.
    """
    known = asked(access, lambda daemon: daemon.status())
    if format_ == "json":
        _print(known.model_dump_json(indent=2))
    else:
        from supervisor.cli.console import out
        from supervisor.reporting.status_table import draw

        out.print(draw(known))
    raise typer.Exit(ExitCode.FAILED if known.problems else ExitCode.OK)


def coverage(
    *,
    access: Access,
    next_only: Annotated[
        bool, typer.Option("--next", help="Only what is drilled next, and why")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table",
) -> None:
    """Show every path that is rehearsed: how it stands, since when, and what failed.

    Exit code: 0 nothing has failed or gone stale, 1 something has, 2 there is nothing to ask.
    """
    known = asked(access, lambda daemon: daemon.coverage())
    if format_ == "json":
        _print((known.next if next_only else known).model_dump_json(indent=2))
    else:
        from supervisor.cli.console import out
        from supervisor.reporting.coverage_table import draw, explain

        out.print(explain(known) if next_only else draw(known))
    bad = {"failed", "stale"} & {state.value for state, count in known.states.items() if count}
    raise typer.Exit(ExitCode.FAILED if bad else ExitCode.OK)


def asked(access: Access, question: "Callable[[Knowledge], Awaitable[T]]") -> T:
    """Ask the daemon, or its store, one question.

    Raises:
        UnderstudyError: There is nothing to ask, or it refuses.
    """
    from supervisor.cli.knowledge import known
    from supervisor.stop import run

    settings = access.settings()
    answers: list[T] = []

    async def command(_: "Stop") -> int:
        async with known(settings) as daemon:
            answers.append(await question(daemon))
        return ExitCode.OK

    code = run(command)
    if not answers:
        raise typer.Exit(code)
    return answers[0]


def _print(text: str) -> None:
    from supervisor.cli.console import print_json

    print_json(text)
