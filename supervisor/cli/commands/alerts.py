"""``understudy alerts``: what fires, whether the way to you works, and silences."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import UsageError
from chaos.exit_code import ExitCode
from supervisor.cli.commands.status import asked
from supervisor.cli.gateway_options import Access, Format, finite, with_access

if TYPE_CHECKING:
    from supervisor.cli.knowledge import Api, Knowledge
    from supervisor.stop import Stop
    from supervisor.web.answers.alerts import ToldAnswer

LOOK_EVERY_S = 0.2


def add(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="What fires, who is told, and silences.")
    group.command("list")(with_access(list_))
    group.command("test")(with_access(send_test))
    group.command("silence")(with_access(silence))
    group.command("unsilence")(with_access(unsilence))
    app.add_typer(group, name="alerts")


def list_(
    *,
    access: Access,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table",
) -> None:
    """Show what fires and since when, what was told lately, notifiers and silences.

    Exit code: 0 nothing that pages fires, 1 something does, 2 there is nothing to ask.
    """
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.alerts_table import draw

    known = asked(access, lambda daemon: daemon.alerts())
    if format_ == "json":
        print_json(known.model_dump_json(indent=2))
    else:
        out.print(draw(known))
    pages = [a for a in known.alerts if a.severity == "page" and a.phase == "firing"]
    raise typer.Exit(ExitCode.FAILED if pages else ExitCode.OK)


def send_test(
    *,
    access: Access,
    within: Annotated[
        float,
        typer.Option("--within", help="Seconds to wait for every notifier", min=1, callback=finite),
    ] = 30.0,
    format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table",
) -> None:
    """Send a test alert through every notifier, as a real one travels, and report what arrived.

    Exit code: 0 every notifier took it, 1 one did not, 2 no daemon runs or there is no notifier.
    """
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.alerts_table import draw_deliveries
    from supervisor.stop import run

    settings = access.settings()
    found: list[ToldAnswer] = []

    async def command(_: "Stop") -> int:
        from chaos.http_client import open_session
        from supervisor.cli.knowledge import Api

        async with open_session() as session:
            api = Api.of(session, settings)
            if not await api.answers():
                raise UsageError(
                    f"no daemon answers at {api.base}",
                    remedy="Start it: understudy run. A test travels through the running daemon.",
                )
            found.append(await _arrived(api, within))
        return ExitCode.OK

    code = run(command)
    if not found:
        raise typer.Exit(code)
    told = found[0]
    if format_ == "json":
        print_json(told.model_dump_json(indent=2))
    else:
        out.print(draw_deliveries(told))
    taken = bool(told.deliveries) and all(one.state == "taken" for one in told.deliveries)
    raise typer.Exit(ExitCode.OK if taken else ExitCode.FAILED)


async def _arrived(api: "Api", within_s: float) -> "ToldAnswer":
    """Wait until every notifier has taken the test, or refused it for good, or time is up.

    Raises:
        UsageError: There is no notifier, or the daemon did not fire it in time.
    """
    import asyncio
    import time

    if not (await api.alerts()).notifiers:
        raise UsageError(
            "the daemon has no notifiers",
            remedy="Name one below notifiers in the configuration, and reload the daemon.",
        )
    test = (await api.test_alert()).test
    until_s = time.monotonic() + within_s
    while True:
        known = (await api.alerts()).told
        own = next((one for one in known if one.labels.get("test") == test and one.firing), None)
        over = time.monotonic() >= until_s
        if own is not None and (over or all(one.state != "waiting" for one in own.deliveries)):
            return own
        if over:
            raise UsageError(
                f"the test was not told within {within_s:g} s",
                remedy="Look at the daemon's log: its store or its rules keep it.",
            )
        await asyncio.sleep(LOOK_EVERY_S)


def silence(
    matchers: Annotated[
        list[str],
        typer.Argument(
            help="LABEL=PATTERN with * and ?, or the name of an alert alone; all must match",
            metavar="MATCHER...",
        ),
    ],
    *,
    access: Access,
    for_: Annotated[str, typer.Option("--for", help="How long, such as 30m or 2h")],
    reason: Annotated[str, typer.Option(help="Why, for whoever wonders later")],
) -> None:
    """Tell nobody of some alerts for a while; they go on being evaluated.

    understudy alerts silence FallbackBroken --for 2h --reason "new driver"
    """
    from supervisor.cli.console import out
    from supervisor.settings.values import parse_duration

    try:
        length = parse_duration(for_)
    except ValueError as error:
        raise UsageError(f"--for {for_!r} is {error}", remedy="Such as: --for 2h") from None
    if length <= timedelta(0):
        raise UsageError("a silence needs an end later than now", remedy="Such as: --for 2h")
    wanted = dict(map(_matcher, matchers))
    begun = asked(access, lambda daemon: daemon.silence(wanted, reason, length))
    out.print(
        f"Silence {begun.number} holds until {begun.until:%Y-%m-%d %H:%M:%S %Z}. "
        f"'understudy alerts unsilence {begun.number}' ends it.",
        markup=False,
        soft_wrap=True,
    )


def unsilence(
    number: Annotated[int, typer.Argument(help="The silence's, as 'alerts list' shows it")],
    *,
    access: Access,
) -> None:
    """End a silence before its time."""
    from supervisor.cli.console import out

    async def end(daemon: "Knowledge") -> bool:
        await daemon.end_silence(number)
        return True

    asked(access, end)
    out.print(f"Silence {number} is over.")


def _matcher(text: str) -> tuple[str, str]:
    label, equals, pattern = text.partition("=")
    if not equals:
        return "alertname", text
    if not label:
        raise UsageError(f"{text!r} names no label", remedy="Such as: group=claude-*")
    return label, pattern
