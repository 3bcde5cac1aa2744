"""``understudy rollout``: exchange an engine, staged while the old one serves."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import UnderstudyError, UsageError
from chaos.exit_code import ExitCode
from supervisor.cli.gateway_options import Access, Format, with_access
from supervisor.cli.output_file import check_new, check_writable, write_new, write_output
from supervisor.cli.rollout_parts import (
    benchmarks_of,
    canary_of,
    docker_host,
    engine_of,
    facts_of,
    journal,
    may_begin,
    origin_of,
    planned,
    text_of,
    until_stopped,
)

if TYPE_CHECKING:
    from supervisor.rollout.docker_host import DockerHost
    from supervisor.rollout.exchange.swap import SwapReport
    from supervisor.rollout.plan import Plan
    from supervisor.settings.model import Settings
    from supervisor.stop import Stop
    from supervisor.store.engines.rollouts import JournalRollout
    from supervisor.store.store import Store

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The rollout file")]
FormatOption = Annotated[Format, typer.Option("--format", help="Form of the output")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", help="Write it into this file as well")
]
WithoutBaseline = Annotated[
    str,
    typer.Option(
        metavar="REASON", help="Go on without a fresh benchmark; why is kept in the journal"
    ),
]
Drills = Annotated[
    bool,
    typer.Option(
        "--drills/--no-drills", help="Drill who serves meanwhile (needs the gateway and its key)"
    ),
]
Hashes = Annotated[
    bool,
    typer.Option(
        "--hashes/--no-hashes",
        help="Read the model's files that are named by their hash; a large model takes minutes",
    ),
]


def add(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Exchange an engine: planned, staged while the old one serves, with a way back.",
    )
    group.command("init")(with_access(init))
    group.command("plan")(with_access(plan_))
    group.command("stage")(with_access(stage_))
    group.command("swap")(with_access(swap_))
    group.command("rollback")(with_access(rollback))
    group.command("status")(with_access(status_))
    group.command("patches")(with_access(patches_))
    group.command("schema")(schema)
    app.add_typer(group, name="rollout")


def init(
    *,
    access: Access,
    from_container: Annotated[
        str | None, typer.Option(metavar="NAME", help="A container that runs")
    ] = None,
    from_compose: Annotated[
        tuple[Path, str] | None,
        typer.Option(metavar="FILE SERVICE", help="A service of a Compose file"),
    ] = None,
    from_recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recipe of sparkrun's")
    ] = None,
    container: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The container to be exchanged, where the origin does not name it"
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="Its model group (default: the configuration's engine at its port)"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where it answers (default: by its port, on this machine)")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The file to write; - prints it")] = Path(
        "rollout.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file")] = False,
) -> None:
    """Write a first rollout file from what runs today.

    Secrets are left in the container that runs: the file only says that they are as there.

    understudy rollout init --from-container vllm --engine gemma

    understudy rollout init --from-compose compose.yaml vllm --engine gemma
    """
    from supervisor.stop import run

    given = [one for one in (from_container, from_compose, from_recipe) if one is not None]
    if len(given) != 1:
        raise UsageError(
            "say where the rollout file comes from, once",
            remedy="One of --from-container NAME, --from-compose FILE SERVICE, --from-recipe FILE.",
        )
    printed = str(output) == "-"
    if not printed:
        check_new(output, force=force)
    settings = access.settings()

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock
        from supervisor.cli.console import print_json, say
        from supervisor.rollout.first_file import first_file
        from supervisor.rollout.rollout_file import parse_rollout

        async with docker_host() as host:
            origin, running = await origin_of(
                host, from_container, from_compose, from_recipe, container
            )
        name, where = engine_of(settings, engine, url or running.url)
        facts = await facts_of(settings, name, where)
        text = first_file(
            origin,
            engine=name,
            url=None if name in settings.engines and url is None else where,
            file=str(output) if not printed else "rollout.yaml",
            today=SystemClock().now().date(),
            facts=facts,
            running=running,
        )
        parse_rollout(text, name=str(output))  # what we write ourselves must be right
        for line in origin.left_out:
            say(f"left out, because a rollout file has no word for it: {line}")
        if printed:
            print_json(text.rstrip("\n"))
            return ExitCode.OK
        write_new(output, text)
        say(f"written to {output}; once it says what you want: understudy rollout plan {output}")
        return ExitCode.OK

    raise typer.Exit(run(command))


def plan_(
    file: FileArgument,
    *,
    access: Access,
    without_baseline: WithoutBaseline = "",
    drills: Drills = True,
    hashes: Hashes = True,
    output: OutputOption = None,
    format_: FormatOption = "table",
) -> None:
    """Say what a swap would change, what cannot work, and who serves meanwhile.

    Nothing is touched: Docker is asked, files are read, and drills make this engine fail for
    requests of ours alone. A program that only reads is started in the new image, without network,
    GPU or a way to write.

    understudy rollout plan rollout.yaml --config understudy.yaml

    Exit code: 0 it can be staged, 1 something cannot work, 2 nothing could be said.
    """
    from supervisor.cli.console import print_json, show
    from supervisor.reporting.engines.rollout_json import plan_json
    from supervisor.reporting.engines.rollout_table import draw_plan
    from supervisor.rollout.rollout_file import load_rollout
    from supervisor.stop import run

    settings, wanted = access.settings(), load_rollout(file)
    if output is not None:
        check_writable(output)
    plans: list[Plan] = []

    async def command(stop: "Stop") -> int:
        async with docker_host() as host:
            plans.append(
                await planned(
                    host,
                    settings,
                    wanted,
                    stop,
                    without_baseline=without_baseline,
                    drills=drills,
                    hashes=hashes,
                )
            )
        return ExitCode.OK

    code = run(command)
    if not plans:
        raise typer.Exit(code)
    plan = plans[0]
    if output is not None:
        write_output(plan_json(plan) + "\n", output)
    if format_ == "json":
        print_json(plan_json(plan))
    else:
        show(draw_plan(plan))
    raise typer.Exit(ExitCode.FAILED if plan.refused else ExitCode.OK)


def stage_(
    file: FileArgument,
    *,
    access: Access,
    without_baseline: WithoutBaseline = "",
    drills: Drills = True,
    hashes: Hashes = True,
    output: OutputOption = None,
    format_: FormatOption = "table",
) -> None:
    """Make the next container and try it, while the old one serves; start nothing.

    Plans anew; if nothing is refused, the image is pinned, patched files are kept, tokenizer,
    template and parsers are tried without a GPU, the next container is made, and the way back is
    written down. What was staged for the same container before is removed.

    understudy rollout stage rollout.yaml --config understudy.yaml

    Exit code: 0 it is staged, 1 it was refused and nothing is left of it, 2 nothing could be said.
    """
    from supervisor.cli.console import out, print_json, say, show
    from supervisor.reporting.engines.rollout_json import plan_json, staged_json
    from supervisor.reporting.engines.rollout_table import draw_plan, draw_staged
    from supervisor.rollout.rollout_file import load_rollout
    from supervisor.rollout.stage import Staged, stage
    from supervisor.stop import run
    from supervisor.store.location import state_beside, store_url

    settings, wanted = access.settings(), load_rollout(file)
    if output is not None:
        check_writable(output)
    found: list[tuple[Plan, Staged | None]] = []

    async def command(stop: "Stop") -> int:
        async with journal(settings) as store, docker_host() as host:
            plan = await planned(
                host,
                settings,
                wanted,
                stop,
                without_baseline=without_baseline,
                drills=drills,
                hashes=hashes,
            )
            if plan.refused:
                found.append((plan, None))
                return ExitCode.FAILED
            folder = state_beside(store_url(settings.store)) / "rollouts"
            staged = await stage(
                host,
                store,
                plan,
                folder,
                text=text_of(file),
                canary_nats=await canary_of(settings, wanted, plan),
                say=say,
            )
            found.append((plan, staged))
            return ExitCode.FAILED if staged.refused else ExitCode.OK

    code = run(command)
    if not found:
        raise typer.Exit(code)
    plan, staged = found[0]
    written = plan_json(plan) if staged is None else staged_json(plan, staged)
    if output is not None:
        write_output(written + "\n", output)
    if format_ == "json":
        print_json(written)
    else:
        show(draw_plan(plan))
        if staged is not None:
            out.print()
            show(draw_staged(staged))
    raise typer.Exit(code)


def swap_(
    name: Annotated[
        str | None,
        typer.Argument(metavar="ROLLOUT", help="Its id or container (default: what is staged)"),
    ] = None,
    *,
    access: Access,
    accept_downtime: Annotated[
        bool,
        typer.Option(
            "--accept-downtime", help="Go on although users may be without an answer meanwhile"
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish a swap that was interrupted")
    ] = False,
    drills: Drills = True,
    output: OutputOption = None,
    format_: FormatOption = "table",
) -> None:
    """Exchange the engine for what was staged; a gate that refuses puts the old one back.

    Who serves meanwhile is drilled once more. Requests that run may end, the old container is
    stopped and kept, the new one is started once, and has to show what the rollout file expects:
    its log, its model, a token, a tool call, sense, its service through the gateway, its speed.

    understudy rollout swap --config understudy.yaml

    Exit code: 0 the new engine serves, 1 it was refused and the old one serves again (or, where
    memory did not come back, nobody does, and it says so), 2 nothing was done.
    """
    from supervisor.cli.rollout_swap import RESUMABLE, SWAPPABLE, swapping, undisturbed, watched
    from supervisor.rollout.exchange.swap import swap_engine

    settings = access.settings()
    states = RESUMABLE if resume else SWAPPABLE

    async def work(
        stop: "Stop", store: "Store", host: "DockerHost", record: "JournalRollout"
    ) -> "SwapReport":
        async with swapping(settings, host, store, record, stop, benchmarks_of) as swap:
            if not resume:
                await may_begin(settings, swap, stop, accepted=accept_downtime, drills=drills)
            limits = swap.file.limits
            most_s = sum(
                each.total_seconds()
                for each in (limits.drain, limits.stop, limits.memory, limits.start)
            )
            stop.watched()
            async with undisturbed(
                settings, record.engine, f"rollout {record.id}", most_s
            ) as go_on:
                return await watched(
                    swap, settings, lambda: until_stopped(stop, swap_engine(swap, go_on))
                )

    _report_of(settings, name, states, work, output, format_)


def rollback(
    name: Annotated[
        str | None,
        typer.Argument(metavar="ROLLOUT", help="Its id or container (default: the newest)"),
    ] = None,
    *,
    access: Access,
    output: OutputOption = None,
    format_: FormatOption = "table",
) -> None:
    """Bring the old engine back, at any time after a swap, or in the middle of one.

    The container that served before is started again: the same one, never made anew. The one that
    has taken its place is stopped, renamed and kept, with its log.

    understudy rollout rollback

    Exit code: 0 the old engine serves, 1 it does not show what it should, 2 nothing was done.
    """
    from supervisor.cli.rollout_swap import REVERSIBLE, swapping, undisturbed, watched
    from supervisor.rollout.exchange.swap import roll_back

    settings = access.settings()

    async def work(
        stop: "Stop", store: "Store", host: "DockerHost", record: "JournalRollout"
    ) -> "SwapReport":
        async with swapping(settings, host, store, record, stop, benchmarks_of) as swap:
            limits = swap.file.limits
            most_s = limits.memory.total_seconds() + limits.start.total_seconds()
            async with undisturbed(
                settings, record.engine, f"rollback of {record.id}", most_s
            ) as go_on:
                return await watched(swap, settings, lambda: roll_back(swap, go_on))

    _report_of(settings, name, REVERSIBLE, work, output, format_)


def _report_of(
    settings: "Settings",
    name: str | None,
    states: object,
    work: "Callable[[Stop, Store, DockerHost, JournalRollout], Awaitable[SwapReport]]",
    output: Path | None,
    format_: Format,
) -> None:
    """Do it, print what came of it, and end with its exit code."""
    from supervisor.cli.console import print_json, show
    from supervisor.cli.rollout_swap import chosen
    from supervisor.reporting.engines.rollout_json import report_json
    from supervisor.reporting.engines.rollout_table import draw_report
    from supervisor.rollout.exchange.swap import Outcome
    from supervisor.stop import run

    if output is not None:
        check_writable(output)
    reports: list[SwapReport] = []

    async def command(stop: "Stop") -> int:
        async with journal(settings) as store, docker_host() as host:
            record = chosen(await store.rollouts(), name, states)
            report = await work(stop, store, host, record)
            reports.append(report)
            good = report.refused is None and report.outcome is not Outcome.STRANDED
            ended = not stop.event.is_set()
            return (ExitCode.OK if good else ExitCode.FAILED) if ended else stop.exit_code

    code = run(command)
    if not reports:
        raise typer.Exit(code)
    if output is not None:
        write_output(report_json(reports[0]) + "\n", output)
    if format_ == "json":
        print_json(report_json(reports[0]))
    else:
        show(draw_report(reports[0]))
    raise typer.Exit(code)


def patches_(
    containers: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONTAINER", help="Which (default: those named under engines)"),
    ] = None,
    *,
    access: Access,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="What is mounted is right for the image that runs now"),
    ] = False,
    format_: FormatOption = "table",
) -> None:
    """Compare files that are mounted over the image's own with what they were made for.

    Such a mount goes on hiding the image's own file after an upgrade, with every correction in it.
    The image's file is read from a container that is made for it, never started, and removed. The
    daemon remembers what was found: it alerts when a container runs an image whose file is another
    one, or that was not compared yet.

    understudy rollout patches vllm

    Exit code: 0 they fit, 1 one may be obsolete, 2 nothing could be said.
    """
    from supervisor.cli.console import print_json, show
    from supervisor.cli.rollout_parts import compared
    from supervisor.reporting.engines.rollout_json import patches_json
    from supervisor.reporting.engines.rollout_table import draw_patches
    from supervisor.stop import run

    settings = access.settings()
    names = containers or [one.container for one in settings.engines.values() if one.container]
    if not names:
        raise UsageError(
            "nothing says which container is meant",
            remedy="Name it: understudy rollout patches vllm; or give engines a container.",
        )

    async def command(_: "Stop") -> int:
        async with journal(settings) as store, docker_host() as host:
            looks = await compared(host, store, list(dict.fromkeys(names)), accept=accept)
        if format_ == "json":
            print_json(patches_json(looks))
        else:
            show(draw_patches(looks, names))
        return ExitCode.FAILED if any(one.trouble for one in looks) else ExitCode.OK

    raise typer.Exit(run(command))


def status_(
    container: Annotated[
        str | None, typer.Argument(help="Only the rollouts of this container")
    ] = None,
    *,
    access: Access,
    format_: FormatOption = "table",
) -> None:
    """Say where each rollout stands, and what serves now.

    understudy rollout status
    """
    from supervisor.cli.console import print_json, show
    from supervisor.reporting.engines.rollout_json import rollouts_json
    from supervisor.reporting.engines.rollout_table import draw_rollouts
    from supervisor.rollout.docker_host import in_thread
    from supervisor.rollout.stage import serving_now
    from supervisor.stop import run
    from supervisor.store.engines.rollouts import RolloutState

    settings = access.settings()

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock

        async with journal(settings) as store:
            known = await store.rollouts(container)
        ended = (RolloutState.REFUSED, RolloutState.REPLACED, RolloutState.RESTORED)
        newest = {one.container: one.id for one in reversed(known)}
        open_ = [
            one
            for one in known
            if one.state not in ended
            and (one.state != RolloutState.ACCEPTED or newest[one.container] == one.id)
        ]
        serving, trouble = {}, ""
        try:
            if open_:
                async with docker_host() as host:
                    for one in open_:
                        serving[one.id] = await in_thread(
                            serving_now, host, dict(one.row), one.container
                        )
        except UnderstudyError as error:
            trouble = error.message
        if format_ == "json":
            print_json(rollouts_json(known, serving))
        else:
            show(draw_rollouts(known, serving, SystemClock().now(), trouble))
        return ExitCode.OK

    raise typer.Exit(run(command))


def schema() -> None:
    """Print the JSON schema of the rollout file, for editors and other checkers.

    understudy rollout schema > rollout.schema.json
    """
    import json

    from supervisor.cli.console import print_json
    from supervisor.rollout.rollout_file import schema as file_schema

    print_json(json.dumps(file_schema(), indent=2))
