"""``understudy rehearse-upgrade``: the same drills on the LiteLLM that runs, and on the new one."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import SetupError, UsageError
from supervisor.cli import completion
from supervisor.cli.commands.drill import ProfileName, overlaid
from supervisor.cli.gateway_options import Access, finite, with_access
from supervisor.cli.output_file import FormatOption, check_writable, form_of, write_output

if TYPE_CHECKING:
    from chaos.drill.report import DrillReport
    from supervisor.campaign.upgrade import Upgrade
    from supervisor.settings.model import Settings
    from supervisor.stop import Stop


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("rehearse-upgrade")(with_access(rehearse_upgrade))


def rehearse_upgrade(
    *,
    access: Access,
    to: Annotated[str, typer.Option("--to", metavar="VERSION", help="The LiteLLM to go to")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="VERSION", help="The one that runs (default: the gateway is asked)"
        ),
    ] = None,
    litellm_config: Annotated[
        Path | None,
        typer.Option(help="LiteLLM's configuration file (default: twin.litellm_config)"),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="Model group; may be repeated (default: all)"),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="Fault or fault.variant; may be repeated (default: the profile's)",
            autocompletion=completion.faults,
        ),
    ] = None,
    surface: Annotated[
        list[str] | None,
        typer.Option(
            help="chat_completions, messages, responses, embeddings; may be repeated",
            autocompletion=completion.surfaces,
        ),
    ] = None,
    profile: Annotated[
        ProfileName | None,
        typer.Option(help="How many of all combinations to drill (default: smoke)"),
    ] = None,
    deadline: Annotated[
        float | None,
        typer.Option(help="Seconds for a whole reply (default: 60)", min=0.1, callback=finite),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Drills at once (default: 1)", min=1, max=4)
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file")] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="Append a summary in Markdown to this file ($GITHUB_STEP_SUMMARY)"),
    ] = None,
    format_: FormatOption = None,
) -> None:
    """Say what an upgrade of LiteLLM would change for your fallbacks, before you do it.

    Starts two LiteLLMs of your configuration one after the other, the version that runs and the new
    one, each installed where it is not there, and rehearses the same scenarios on both. The running
    gateway is only asked for its version. What comes out otherwise is drilled once more on both.

      understudy rehearse-upgrade --to 1.108.6 --config understudy.yaml

    Exit code: 0 nothing gets worse, 1 something that passed fails, 2 nothing could be said, 3 it
    cannot be told of everything, 4 stopped.
    """
    from chaos.exit_code import ExitCode
    from supervisor.cli.console import err, say
    from supervisor.cli.progress import LiveDrills
    from supervisor.stop import run

    settings = overlaid(
        access.settings(),
        drills={
            "injector": "twin",
            "profile": profile,
            "deadline_s": deadline,
            "concurrency": concurrency,
        },
        twin={"litellm_config": litellm_config},
    )
    if settings.twin.litellm_config is None:
        raise UsageError(
            "nothing says which configuration is meant",
            remedy="Give --litellm-config FILE: the file that the gateway was started with.",
        )
    for file in filter(None, (output, summary)):
        check_writable(file)
    found: list[Upgrade] = []

    async def command(stop: "Stop") -> int:
        from chaos.faults.kinds import parse_fault
        from chaos.gateway.install import check_version, install_litellm
        from chaos.process.environment import default_folder
        from chaos.scenario.expand import Selection
        from supervisor.campaign.request import DrillRequest
        from supervisor.campaign.run import run_drills
        from supervisor.campaign.upgrade import rehearse_upgrade as rehearsed

        before = from_ or await _running(settings)
        selection = Selection(
            groups=tuple(group or ()),
            faults=tuple(parse_fault(text)[1] for text in fault or ()),
            surfaces=tuple(surface or ()),
            profile=settings.drills.profile,
        )
        request = DrillRequest(selection=selection)
        # What cannot be had is said before anything is installed, and that before any drill.
        for version in (before, to):
            check_version(version)
        for version in (before, to):
            await install_litellm(default_folder(), version, say=say)
        stop.watched()

        async def drilled(version: str, keys: frozenset[str] | None) -> "DrillReport":
            twin = {"litellm_version": version, "litellm_bin": None, "litellm_image": None}
            # Each run has ids of its own: they are drills of different gateways.
            asked = replace(request, keys=keys, seed=None)
            own = settings.model_copy(update={"twin": settings.twin.model_copy(update=twin)})
            try:
                with LiveDrills(err) as live:
                    return await run_drills(None, own, asked, stop=stop, listen=live.take, say=say)
            except SetupError as error:
                raise SetupError(
                    f"LiteLLM {version}: {error.message}", remedy=error.remedy
                ) from error

        upgrade = await rehearsed(drilled, before, to, stopped=stop.event.is_set, say=say)
        found.append(upgrade)
        return upgrade.exit_code

    code = run(command, stopped=ExitCode.STOPPED)
    if found:
        _show(found[0], form_of(format_, output), output, summary)
    raise typer.Exit(code)


async def _running(settings: "Settings") -> str:
    """Ask the gateway for its version.

    Raises:
        UsageError: None is named, or it does not say.
    """
    from supervisor.campaign.connection import connected

    remedy = "Give --from VERSION."
    if settings.gateway.url is None:
        raise UsageError("nothing says which LiteLLM runs", remedy=f"{remedy[:-1]}, or --gateway.")
    async with connected(settings) as gateway:
        version = (await gateway.topology()).litellm_version
    if not version:
        raise UsageError("the gateway does not say which LiteLLM it is", remedy=remedy)
    return version


def _show(upgrade: "Upgrade", form: str, output: Path | None, summary: Path | None) -> None:
    from supervisor.cli.console import as_plain_text, out, say
    from supervisor.reporting.upgrade_json import upgrade_json, upgrade_junit
    from supervisor.reporting.upgrade_table import draw, upgrade_markdown

    if summary is not None:
        try:
            with summary.open("a", encoding="utf-8") as file:
                file.write(upgrade_markdown(upgrade))
        except OSError as error:
            say(f"the summary could not be appended to {summary}: {error.strerror}")
    if form == "table" and output is None:
        out.print(draw(upgrade))
        return
    texts = {
        "json": lambda: upgrade_json(upgrade) + "\n",
        "junit": lambda: upgrade_junit(upgrade),
        "table": lambda: as_plain_text(draw(upgrade)),
    }
    write_output(texts[form](), output)
