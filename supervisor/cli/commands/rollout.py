"""``understudy rollout``: exchange an engine, staged while the old one serves."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import UnderstudyError, UsageError
from chaos.exit_code import ExitCode
from supervisor.cli.gateway_options import Access, Format, with_access
from supervisor.cli.output_file import check_writable, write_output

if TYPE_CHECKING:
    from supervisor.baseline.record import Benchmark
    from supervisor.engine.facts import EngineFacts
    from supervisor.rollout.docker_host import DockerHost
    from supervisor.rollout.first_file import Running
    from supervisor.rollout.origin import Origin
    from supervisor.rollout.plan import Plan
    from supervisor.rollout.rollout_file import RolloutFile
    from supervisor.settings.model import Settings
    from supervisor.stop import Stop
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
        help="Exchange an engine: planned, and staged while the old one serves.",
    )
    group.command("init")(with_access(init))
    group.command("plan")(with_access(plan_))
    group.command("stage")(with_access(stage_))
    group.command("status")(with_access(status_))
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
        _check_new(output, force=force)
    settings = access.settings()

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock
        from supervisor.cli.console import print_json, say
        from supervisor.rollout.first_file import first_file
        from supervisor.rollout.rollout_file import parse_rollout

        async with _docker() as host:
            origin, running = await _origin(
                host, from_container, from_compose, from_recipe, container
            )
        name, where = _engine(settings, engine, url or running.url)
        facts = await _asked(settings, name, where)
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
        _write(output, text)
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

    understudy rollout plan rollout.yaml --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY

    Exit code: 0 it can be staged, 1 something cannot work, 2 nothing could be said.
    """
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.rollout_json import plan_json
    from supervisor.reporting.rollout_table import draw_plan
    from supervisor.rollout.rollout_file import load_rollout
    from supervisor.stop import run

    settings, wanted = access.settings(), load_rollout(file)
    if output is not None:
        check_writable(output)
    plans: list[Plan] = []

    async def command(stop: "Stop") -> int:
        async with _docker() as host:
            plans.append(
                await _planned(
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
        out.print(draw_plan(plan))
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

    understudy rollout stage rollout.yaml --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY

    Exit code: 0 it is staged, 1 it was refused and nothing is left of it, 2 nothing could be said.
    """
    from supervisor.cli.console import out, print_json, say
    from supervisor.reporting.rollout_json import plan_json, staged_json
    from supervisor.reporting.rollout_table import draw_plan, draw_staged
    from supervisor.rollout.rollout_file import load_rollout
    from supervisor.rollout.stage import Staged, stage
    from supervisor.stop import run
    from supervisor.store.location import state_beside, store_url

    settings, wanted = access.settings(), load_rollout(file)
    if output is not None:
        check_writable(output)
    found: list[tuple[Plan, Staged | None]] = []

    async def command(stop: "Stop") -> int:
        async with _journal(settings) as store, _docker() as host:
            plan = await _planned(
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
            staged = await stage(host, store, plan, folder, say=say)
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
        out.print(draw_plan(plan))
        if staged is not None:
            out.print()
            out.print(draw_staged(staged))
    raise typer.Exit(code)


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
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.rollout_json import rollouts_json
    from supervisor.reporting.rollout_table import draw_rollouts
    from supervisor.rollout.docker_host import in_thread
    from supervisor.rollout.journal import State
    from supervisor.rollout.stage import serving_now
    from supervisor.stop import run

    settings = access.settings()

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock

        async with _journal(settings) as store:
            known = await store.rollouts(container)
        open_ = [one for one in known if one.state in (State.STAGED, State.STAGING)]
        serving, trouble = {}, ""
        try:
            if open_:
                async with _docker() as host:
                    for one in open_:
                        serving[one.id] = await in_thread(
                            serving_now, host, dict(one.row), one.container
                        )
        except UnderstudyError as error:
            trouble = error.message
        if format_ == "json":
            print_json(rollouts_json(known, serving))
        else:
            out.print(draw_rollouts(known, serving, SystemClock().now(), trouble))
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


# --- parts ----------------------------------------------------------------------------


@asynccontextmanager
async def _docker() -> "AsyncIterator[DockerHost]":
    """Open Docker off the loop; it may be slow to answer."""
    from contextlib import ExitStack

    from supervisor.rollout.docker_host import DockerHost, in_thread

    with ExitStack() as stack:
        yield await in_thread(stack.enter_context, DockerHost.opened())


@asynccontextmanager
async def _journal(settings: "Settings") -> "AsyncIterator[Store]":
    from chaos.clock import SystemClock
    from supervisor.store.location import store_url
    from supervisor.store.records import Home
    from supervisor.store.store import Store

    home = Home(settings.daemon.name, settings.gateway.url or "")
    async with Store.opened(store_url(settings.store), home, SystemClock()) as store:
        yield store


async def _planned(
    host: "DockerHost",
    settings: "Settings",
    wanted: "RolloutFile",
    stop: "Stop",
    *,
    without_baseline: str,
    drills: bool,
    hashes: bool,
) -> "Plan":
    from chaos.http_client import open_session
    from supervisor.cli.console import err, say
    from supervisor.cli.hash_progress import LiveHashes
    from supervisor.cli.rollout_drills import covers_of
    from supervisor.rollout.facts import gather
    from supervisor.rollout.plan import plan_of

    async with open_session() as session:
        with LiveHashes(err) as live:
            facts = await gather(
                host,
                wanted,
                settings,
                session,
                benchmarks=await _benchmarks(settings, wanted.engine),
                without_baseline=without_baseline,
                hashes=hashes,
                tell=live.take,
                say=say,
            )
    if not drills:
        return plan_of(facts, None, "--no-drills")
    plan = plan_of(facts, None, "something cannot work already, so nothing was drilled")
    if plan.refused:
        return plan
    covers, why = await covers_of(settings, wanted.engine, stop)
    return plan_of(facts, covers, why)


async def _benchmarks(settings: "Settings", engine: str) -> "Sequence[Benchmark]":
    """Read what is kept of an engine; nothing where there is neither daemon nor store."""
    from supervisor.cli.knowledge import known

    try:
        async with known(settings) as knowledge:
            answer = await knowledge.benchmarks()
    except UsageError:
        return []
    return [
        one.record for each in answer.engines if each.engine == engine for one in each.benchmarks
    ]


async def _origin(
    host: "DockerHost",
    from_container: str | None,
    from_compose: tuple[Path, str] | None,
    from_recipe: Path | None,
    container: str | None,
) -> "tuple[Origin, Running]":
    """Read the origin, and what runs of it."""
    from supervisor.rollout.docker_host import in_thread
    from supervisor.rollout.first_file import running_of
    from supervisor.rollout.origins import compose, recipe
    from supervisor.rollout.origins import container as containers

    if from_container is not None:
        described = await in_thread(host.container, from_container)
        if described is None:
            raise await in_thread(_no_container, host, from_container)
        image = await in_thread(host.image, str(described.get("Image") or ""))
        origin = containers.origin_of(described, image)
    elif from_compose is not None:
        file, service = from_compose
        text = await in_thread(compose.resolved, file)
        origin = compose.origin_of(text, service, name=str(file), container=container)
    else:
        assert from_recipe is not None  # noqa: S101 -- one of the three is given
        if container is None:
            raise UsageError(
                "a recipe does not name the container that runs",
                remedy="Say which one it is: --container NAME, as 'docker ps' lists it.",
            )
        origin = recipe.origin_of(
            _text(from_recipe),
            name=str(from_recipe),
            container=container,
            home=str(Path.home()),
        )
    return origin, await in_thread(running_of, host, origin)


def _no_container(host: "DockerHost", name: str) -> UsageError:
    from chaos.registry import suggestion

    return UsageError(
        f"there is no container {name!r}",
        remedy=suggestion(name, host.container_names()).capitalize(),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path}: cannot be read: {why}", remedy="Name a file.") from error


def _engine(settings: "Settings", name: str | None, url: str | None) -> tuple[str, str]:
    """Name the engine's group and its address.

    Raises:
        UsageError: One of them is not known.
    """
    from yarl import URL

    if name is not None:
        where = url or (settings.engines[name].url if name in settings.engines else None)
    else:
        same = [
            each
            for each, one in settings.engines.items()
            if url is not None and URL(one.url).port == URL(url).port
        ]
        name, where = (same[0] if len(same) == 1 else None), url
    if name is None:
        names = ", ".join(settings.engines) or "none"
        raise UsageError(
            "nothing says which model group this engine serves",
            remedy=f"Give --engine NAME, as the gateway names it (the configuration's: {names}).",
        )
    if where is None:
        raise UsageError(
            f"nothing says where the engine {name!r} answers",
            remedy="Give --url http://127.0.0.1:8000",
        )
    return name, where


async def _asked(settings: "Settings", name: str, url: str) -> "EngineFacts":
    from chaos.http_client import open_session
    from supervisor.engine.facts import read_engine_facts

    named = settings.engines.get(name)
    key = named.key.reveal().get_secret_value() if named and named.key else None
    async with open_session() as session:
        return await read_engine_facts(session, url, group=name, key=key)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}", remedy="Name another with --output."
        ) from error


def _check_new(output: Path, *, force: bool) -> None:
    """Find out before anything is asked.

    Raises:
        UsageError: The file is there, or could not be written.
    """
    if output.exists() and not force:
        raise UsageError(
            f"{output} is there already",
            remedy="Give --force to overwrite it, or another file with --output.",
        )
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise UsageError(f"{output} cannot be written", remedy="Name another file with --output.")
