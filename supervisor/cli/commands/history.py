"""``understudy history`` and ``show``: drills that have ended."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from chaos.errors import UsageError
from supervisor.cli.commands.status import asked
from supervisor.cli.gateway_options import Access, Format, with_access


def add(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("history")(with_access(history))
    app.command("show")(with_access(show))


def history(
    *,
    access: Access,
    group: Annotated[str | None, typer.Option(help="Only this model group")] = None,
    path: Annotated[
        str | None, typer.Option(help="Only paths with this in their text form")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="passed, failed, inconclusive or aborted")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind of verdict")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="A duration, such as 2h or 7d, or a time, such as 2026-12-31T09:00"),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most this many", min=1, max=1000)] = 50,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table",
) -> None:
    """List drills that have ended, newest first.

    understudy history --group claude-sonnet --outcome failed --since 7d
    """
    from chaos.judge.check import Kind
    from chaos.judge.verdict import Outcome
    from chaos.registry import lookup
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.history_table import draw
    from supervisor.store.records import DrillFilter

    if kind is not None:
        lookup("kind of verdict", kind, {one.value: one for one in Kind})
    if outcome is not None:
        lookup("outcome", outcome, {one.value: one for one in Outcome})
    now = datetime.now(UTC)
    wanted = DrillFilter(
        group=group,
        path=path,
        outcome=outcome,
        kind=kind,
        since=None if since is None else _time(since, now),
        limit=limit,
    )
    found = asked(access, lambda daemon: daemon.drills(wanted))
    if format_ == "json":
        print_json(found.model_dump_json(by_alias=True, indent=2))
    else:
        out.print(draw(found.drills, now))


def show(
    drill_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it")],
    *,
    access: Access,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Everything that was observed, as JSON")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table",
) -> None:
    """Show one drill: what was rehearsed, what the wire saw, and the verdict.

    understudy show 4769a630181d
    """
    import json

    from supervisor.cli.console import print_json, show
    from supervisor.reporting.drill_details import whole

    found = asked(access, lambda daemon: daemon.drill(drill_id))
    if evidence:
        print_json(json.dumps(found.seen, indent=2))
    elif format_ == "json":
        print_json(found.model_dump_json(by_alias=True, indent=2))
    else:
        show(whole(found.drill, f"{found.path}, by {found.daemon}"))


def _time(text: str, now: datetime) -> datetime:
    from supervisor.settings.values import parse_duration

    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text!r} is neither a duration nor a time",
            remedy="Such as: --since 2h, --since 7d, --since 2026-12-31, "
            "--since 2026-12-31T09:00+01:00",
        ) from None
    return at if at.tzinfo else at.astimezone()
