"""``understudy drill``: run drills now."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from chaos.errors import UsageError
from chaos.exit_code import ExitCode
from chaos.gateway.redirect_permission import WITNESS_PORT
from supervisor.cli import completion
from supervisor.cli.gateway_options import Access, finite, with_access
from supervisor.cli.output_file import (
    FormatOption,
    ReportFormat,
    check_writable,
    form_of,
    write_output,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaos.drill.report import DrillReport
    from supervisor.settings.model import Settings
    from supervisor.stop import Stop


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a report goes.

    Attributes:
        output: The file it is written to; None for standard output.
        summary: The file that a summary in Markdown is appended to.
    """

    form: ReportFormat = "table"
    output: Path | None = None
    summary: Path | None = None


InjectorName = Literal["auto", "redirect", "twin"]
ProfileName = Literal["smoke", "full", "exhaustive"]


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("drill")(with_access(drill))


def drill(
    *,
    access: Access,
    group: Annotated[
        list[str] | None, typer.Option(help="Model group to drill; may be repeated (default: all)")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="Fault, as 'understudy faults' lists them; may be repeated",
            autocompletion=completion.faults,
        ),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            help="Traffic shape, as 'understudy shapes' lists them; may be repeated",
            autocompletion=completion.shapes,
        ),
    ] = None,
    surface: Annotated[
        list[str] | None,
        typer.Option(
            help="chat_completions, messages, responses, embeddings; may be repeated",
            autocompletion=completion.surfaces,
        ),
    ] = None,
    stream: Annotated[
        bool | None, typer.Option("--stream/--no-stream", help="Only streamed, or only whole")
    ] = None,
    both: Annotated[bool, typer.Option("--both", help="Streamed and whole (the default)")] = False,
    depth: Annotated[
        str, typer.Option(help="How many hops are made to fail: a number, or 'all' depths")
    ] = "all",
    profile: Annotated[
        ProfileName | None,
        typer.Option(help="How many of all combinations to drill (default: smoke)"),
    ] = None,
    injector: Annotated[
        InjectorName | None, typer.Option(help="How drills reach the witness (default: auto)")
    ] = None,
    litellm_config: Annotated[
        Path | None, typer.Option(help="LiteLLM's configuration file, for a twin")
    ] = None,
    litellm_bin: Annotated[
        Path | None, typer.Option(help="LiteLLM's executable, for a twin (default: the lab's)")
    ] = None,
    litellm_image: Annotated[
        str | None, typer.Option(help="LiteLLM's container image, for a twin")
    ] = None,
    litellm_version: Annotated[
        str | None,
        typer.Option(help="LiteLLM's version, for a twin; it is installed if it is not there"),
    ] = None,
    engine: Annotated[
        list[str] | None, typer.Option(help="NAME=URL of a local engine; may be repeated")
    ] = None,
    deadline: Annotated[
        float | None,
        typer.Option(help="Seconds for a whole reply (default: 60)", min=0.1, callback=finite),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(
            help="Outage drills: seconds from one request to the next (default: 2)",
            min=0.2,
            callback=finite,
        ),
    ] = None,
    recover_within: Annotated[
        float | None,
        typer.Option(
            help="Outage drills: seconds after the outage in which the primary has to serve "
            "again (default: 30)",
            min=1,
            callback=finite,
        ),
    ] = None,
    max_drills: Annotated[
        int | None, typer.Option(help="Run at most this many drills", min=1)
    ] = None,
    budget_usd: Annotated[
        float | None,
        typer.Option(help="Money that this run may spend (default: 0)", min=0, callback=finite),
    ] = None,
    real_keys: Annotated[
        bool, typer.Option("--real-keys", help="Let hops that cost money be called for real")
    ] = False,
    require_real: Annotated[
        bool,
        typer.Option("--require-real", help="A pass by a stand-in is inconclusive (exit code 3)"),
    ] = False,
    concurrency: Annotated[
        int | None, typer.Option(help="Drills at once (default: 1)", min=1, max=4)
    ] = None,
    as_client: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME|FILE",
            help="Ask as a client that 'understudy clients' lists, or as a client profile (YAML)",
            autocompletion=completion.clients,
        ),
    ] = None,
    as_key: Annotated[
        str | None,
        typer.Option(
            help="Environment variable with a virtual key to drill as: with its own fallbacks, "
            "access and budget",
            metavar="ENV",
        ),
    ] = None,
    witness_listen: Annotated[
        list[str] | None,
        typer.Option(help=f"ADDRESS:PORT; may be repeated (default: 127.0.0.1:{WITNESS_PORT})"),
    ] = None,
    witness_url: Annotated[
        str | None,
        typer.Option(help=f"What LiteLLM dials (default: http://127.0.0.1:{WITNESS_PORT})"),
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Do not hand the drills to a running daemon")
    ] = False,
    no_known_gaps: Annotated[
        bool, typer.Option("--no-known-gaps", help="Count known gaps as failures")
    ] = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="Print the scenarios, send nothing")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Append a summary in Markdown to this file ($GITHUB_STEP_SUMMARY)"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replay the ids of a run's drills")] = None,
    format_: FormatOption = None,
) -> None:
    """Run drills now, and judge by the client's reply and the wire which fallbacks hold.

    Exit code: 0 all passed (known gaps do not count); 1 at least one failed; 2 nothing could be
    drilled; 3 none failed, but something was inconclusive or nothing passed; 4 aborted; 70 a
    defect of Understudy.

      understudy drill --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY
    """
    import asyncio

    from chaos.faults.kinds import parse_fault
    from chaos.protocol.surfaces import SURFACES
    from chaos.registry import lookup
    from chaos.scenario.expand import Selection
    from chaos.traffic.every_shape import EVERY_SHAPE
    from supervisor.campaign.asked_as import asked_as
    from supervisor.campaign.request import only_sequences
    from supervisor.settings.client_profile import client_named
    from supervisor.stop import run

    in_file = access.settings()
    settings = overlaid(
        in_file,
        gateway={"as_key": {"env": as_key} if as_key is not None else None},
        drills={
            "injector": injector,
            "profile": profile,
            "deadline_s": deadline,
            "every_s": every,
            "recover_within_s": recover_within,
            "concurrency": concurrency,
            "budget_usd": budget_usd,
            "real_keys": real_keys or None,
            "require_real": require_real or None,
        },
        witness={
            "listen": tuple(witness_listen) if witness_listen else None,
            "url": witness_url or _url_of(witness_listen),
        },
        twin={
            "litellm_config": litellm_config,
            "litellm_bin": litellm_bin,
            "litellm_image": litellm_image,
            "litellm_version": litellm_version,
        },
        engines=_engines(engine or []),
    )
    selection = Selection(
        groups=tuple(group or ()),
        faults=tuple(parse_fault(text)[1] for text in fault or ()),
        shapes=tuple(shape or ()),
        surfaces=tuple(surface or ()),
        stream=None if both else stream,
        depth=_depth(depth),
        profile=settings.drills.profile,
    )
    for name in shape or ():
        lookup("traffic shape", name, EVERY_SHAPE)
    for name in surface or ():
        lookup("surface", name, SURFACES)
    client = client_named(as_client) if as_client else None
    if isinstance(client, str):
        selection = asked_as(selection, client)
    # A twin and a witness of one's own are this process's affair.
    own = (
        only_sequences(selection.faults),
        *(injector == "twin", litellm_config, litellm_bin, litellm_image, litellm_version),
        witness_listen,
    )
    # The daemon drills with a key of its own.
    mine = local or list_only or settings.gateway.as_key is not None
    hand_over = not (mine or witness_url or any(own))
    to = Destination(form_of(format_, output), output, summary)
    for file in filter(None, (output, summary)):
        check_writable(file)

    async def command(stop: "Stop") -> int:
        # Imported late: the drill engine is heavy, and --help should come at once.
        from supervisor.campaign.request import DrillRequest
        from supervisor.cli.console import say
        from supervisor.settings.deciding import said
        from supervisor.web.drill_order import DrillOrder

        if hand_over:
            order = DrillOrder(
                groups=tuple(group or ()),
                faults=tuple(fault or ()),
                shapes=tuple(shape or ()),
                surfaces=tuple(surface or ()),
                stream=selection.stream,
                depth=selection.depth,
                profile=selection.profile,
                max_drills=max_drills,
                known_gaps=not no_known_gaps,
                injector="redirect" if injector == "redirect" else None,
                **_of_drills(
                    in_file,
                    deadline_s=deadline,
                    concurrency=concurrency,
                    budget_usd=budget_usd,
                    real_keys=real_keys or None,
                    require_real=require_real or None,
                ),
                engines=_engines(engine or []),
                client=client,
                seed=seed,
            )
            order = order.model_copy(update={"configured": order.left_of(said(in_file))})
            code = await _drill_there(settings, order, stop, to)
            if code is not None:
                return code
        request = DrillRequest(
            selection=selection,
            max_drills=max_drills,
            known_gaps=not no_known_gaps,
            profile=None if client is None or isinstance(client, str) else client.profile,
            seed=seed,
        )
        try:
            return await _drill(settings, request, stop, to, list_only=list_only)
        except asyncio.CancelledError:
            say("stopped; nothing is left running")
            raise

    raise typer.Exit(run(command, stopped=ExitCode.STOPPED))


async def _drill_there(
    settings: "Settings", order: Any, stop: "Stop", to: "Destination"
) -> int | None:
    """Have a running daemon drill; None if there is none for this gateway."""
    from chaos.drill.report import exit_code
    from supervisor.cli.console import err, say
    from supervisor.cli.handover import daemon_of, drilled_there, session
    from supervisor.cli.progress import LiveDrills

    async with session() as opened:
        daemon = await daemon_of(opened, settings)
        if daemon is None:
            return None
        say(f"the daemon at {daemon.base} drills, with its own witness and keys (--local: not)")
        with LiveDrills(err) as live:
            report, stopped = await drilled_there(daemon, order, stop, live, say, _growing(to))
    show(report, to)
    return exit_code(report.summary, report.drills, stopped=stopped)


async def _drill(
    settings: "Settings",
    request: Any,
    stop: "Stop",
    to: "Destination",
    *,
    list_only: bool,
) -> int:
    from chaos.drill.report import exit_code
    from chaos.process.terminal import printable
    from supervisor.campaign.connection import connected_or_none
    from supervisor.campaign.run import listed, run_drills
    from supervisor.cli.console import err, say
    from supervisor.cli.progress import LiveDrills

    async with connected_or_none(settings) as gateway:
        if list_only:
            scenarios = await listed(gateway, settings, request, say=say)
            keys = [scenario.key for scenario in scenarios]
            as_json = to.form == "json"
            text = json.dumps(keys, indent=2) if as_json else "\n".join(map(printable, keys))
            write_output(f"{text}\n", to.output)
            say(f"{len(keys)} scenario(s); nothing was sent")
            return ExitCode.OK
        with LiveDrills(err) as live:
            report = await run_drills(
                gateway,
                settings,
                request,
                stop=stop,
                listen=live.take,
                grew=_growing(to),
                say=say,
            )
    show(report, to)
    return exit_code(report.summary, report.drills, stopped=stop.event.is_set())


def _of_drills(in_file: "Settings", **options: Any) -> dict[str, Any]:
    """List what an option, or else the file, says of drills; the rest is the daemon's to say."""
    given = {name: value for name, value in options.items() if value is not None}
    own = in_file.drills.model_fields_set if "drills" in in_file.model_fields_set else set()
    told = {name: getattr(in_file.drills, name) for name in options if name in own}
    return {**told, **given}


def show(report: "DrillReport", to: Destination) -> None:
    """Print the report, or write it into a file; append the summary to its own."""
    from supervisor.cli.console import show as show_there
    from supervisor.reporting.drill_table import draw

    if to.summary is not None:
        _append(report, to.summary)
    if to.form == "table" and to.output is None:
        show_there(draw(report))
        return
    write_output(written(report, to.form), to.output)


def written(report: "DrillReport", form: ReportFormat) -> str:
    """Write the report as the text of a file."""
    from supervisor.cli.console import as_plain_text
    from supervisor.reporting.drill_table import draw
    from supervisor.reporting.junit import junit_xml

    if form == "json":
        return report.model_dump_json(by_alias=True, indent=2) + "\n"
    return junit_xml(report) if form == "junit" else as_plain_text(draw(report))


def _growing(to: Destination) -> "Callable[[Callable[[], DrillReport]], None]":
    """Write the file of *to* as drills end, if it has one."""
    from supervisor.cli.running.growing_report import GrowingReport

    return GrowingReport(to.output, lambda report: written(report, to.form)).grew


def _append(report: "DrillReport", summary: Path) -> None:
    from supervisor.cli.console import say
    from supervisor.reporting.markdown import drill_markdown

    try:
        with summary.open("a", encoding="utf-8") as file:
            file.write(drill_markdown(report))
    except OSError as error:
        # The report itself is worth more, and comes after this.
        say(f"the summary could not be appended to {summary}: {error.strerror}")


def overlaid(settings: "Settings", **sections: dict[str, Any]) -> "Settings":
    """Lay options that were given over the file's sections; None means not given.

    Raises:
        UsageError: An option's value is not allowed.
    """
    from pydantic import ValidationError

    from supervisor.settings.file import explain
    from supervisor.settings.model import Settings

    raw = settings.model_dump()
    for name, values in sections.items():
        raw[name] = {**raw[name], **{k: v for k, v in values.items() if v is not None}}
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise UsageError(
            "; ".join(explain(problem) for problem in error.errors(include_url=False)),
            remedy="understudy drill --help lists what is allowed.",
        ) from error


def _depth(text: str) -> int | None:
    if text == "all":
        return None
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise UsageError(f"--depth {text!r} is not a depth", remedy="Give a number from 1, or 'all'.")


def _engines(given: list[str]) -> dict[str, str]:
    engines = {}
    for text in given:
        name, equals, url = text.partition("=")
        if not equals or not name or not url:
            raise UsageError(
                f"--engine {text!r} is not NAME=URL",
                remedy="Such as: --engine gemma=http://127.0.0.1:8000",
            )
        engines[name] = url
    return engines


def _url_of(listen: list[str] | None) -> str | None:
    """What the gateway dials where only the listening address was given."""
    from supervisor.settings.values import address, url_of

    try:
        return url_of(address(listen[0])) if listen else None
    except ValueError:
        return None  # The address itself is refused with the other settings.
