"""``understudy bench``: how fast engines are, measured, kept and compared."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaos.errors import UnderstudyError, UsageError
from chaos.exit_code import ExitCode
from supervisor.cli.commands.status import asked
from supervisor.cli.gateway_options import Access, Format, with_access
from supervisor.cli.output_file import check_writable, write_output

if TYPE_CHECKING:
    from supervisor.baseline.measure import Order
    from supervisor.baseline.record import Benchmark
    from supervisor.settings.model import EngineSettings, Settings
    from supervisor.stop import Stop

OutputOption = Annotated[
    Path | None, typer.Option("--output", help="Write it into this file as well")
]
FormatOption = Annotated[Format, typer.Option("--format", help="Form of the output")]


def add(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="How fast engines are: baselines.")
    group.command("run")(with_access(run_))
    group.command("compare")(with_access(compare_))
    group.command("list")(with_access(list_))
    group.command("import")(with_access(import_))
    group.command("export")(with_access(export))
    app.add_typer(group, name="bench")


def run_(
    engine: Annotated[
        str,
        typer.Argument(
            help="A local engine's model group, as the configuration or the gateway names it; "
            "or NAME=URL, or a URL",
        ),
    ],
    *,
    access: Access,
    runs: Annotated[int, typer.Option(help="Runs of each text", min=1, max=50)] = 3,
    warm_up: Annotated[int, typer.Option(help="Runs before those", min=0, max=10)] = 1,
    text: Annotated[
        list[str] | None, typer.Option(help="Only this text: prose, code or json; repeatable")
    ] = None,
    max_tokens: Annotated[int, typer.Option(help="Tokens of each run", min=16, max=32768)] = 512,
    ignore_eos: Annotated[
        bool,
        typer.Option(
            "--ignore-eos", help="Let the engine write on after its end, for the same length always"
        ),
    ] = False,
    concurrency: Annotated[
        list[int] | None, typer.Option(help="Requests at once; repeatable", min=1, max=256)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What it is asked for (default: the first it serves)")
    ] = None,
    note: Annotated[str, typer.Option(help="For whoever compares later")] = "",
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep it, as the engine's new baseline")
    ] = True,
    output: OutputOption = None,
    format_: FormatOption = "table",
) -> None:
    """Measure an engine, and keep that as its baseline.

    Three texts (prose, code, JSON: speculation likes some better), each once to warm up and then
    three times, one request at a time, at temperature 0. Runs that cannot be trusted, because
    others used the engine or chunks came in bursts, are shown and not counted.

    understudy bench run gemma --note "before the upgrade"

    understudy bench run http://127.0.0.1:8000 --concurrency 8 --no-keep

    Exit code: 0 every text has a figure, 3 one has none that can be trusted, 2 nothing was
    measured.
    """
    from supervisor.baseline.standing import speed_of
    from supervisor.cli.console import out, print_json, say
    from supervisor.reporting.engines.benchmark_table import draw

    settings = access.settings()
    if output is not None:
        check_writable(output)
    order = _order(
        settings,
        engine,
        texts=text or [],
        concurrency=tuple(dict.fromkeys(concurrency or [1])),
        model=model,
        note=note,
        method={
            "runs": runs,
            "warm_up": warm_up,
            "max_tokens": max_tokens,
            "ignore_eos": ignore_eos,
        },
    )
    taken, trouble = _taken(settings, order, keep=keep)
    written = taken.model_dump_json(indent=2, by_alias=True)
    if output is not None:
        write_output(written + "\n", output)
    if format_ == "json":
        print_json(written)
    else:
        out.print(draw(taken))
    if trouble is not None:
        raise trouble
    if keep and speed_of([taken]).baseline is None:
        say("It is kept, and is no baseline: that takes a figure of every text, one at a time.")
    complete = len(taken.figures) == len(order.texts) * len(order.concurrency)
    raise typer.Exit(ExitCode.OK if complete else ExitCode.INCONCLUSIVE)


def compare_(
    before: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A benchmark's id or the beginning of it, a file, or an engine: its baseline",
        ),
    ],
    after: Annotated[
        str | None,
        typer.Argument(
            metavar="B", help="Likewise; an engine's newest one (default: that of A's engine)"
        ),
    ] = None,
    *,
    access: Access,
    plot: Annotated[bool, typer.Option("--plot/--no-plot", help="Draw bars, too")] = True,
    format_: FormatOption = "table",
) -> None:
    """Compare two benchmarks: ratios, and how sure they are.

    An interval has in it what runs differ by, and what boots differ by: one configuration is up to
    15 % faster after one start than after another. Where boots of it are known, it is measured.

    understudy bench compare 20261128-0912 20261128-0947

    understudy bench compare before.json after.json

    understudy bench compare gemma

    Exit code: 0 B is not slower, 1 it is, 2 there is nothing to compare.
    """
    from supervisor.baseline.compare import Verdict, compare
    from supervisor.cli.benchmark_records import KnownBenchmarks
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.engines.benchmark_json import comparison_json
    from supervisor.reporting.engines.benchmark_table import draw_comparison
    from supervisor.reporting.engines.speed_plot import plot_comparison

    known = KnownBenchmarks(access)
    first = known.find(before, newest=False)
    second = known.find(after if after is not None else first.engine, newest=True)
    if first.id == second.id:
        raise UsageError(
            f"{first.id} is compared with itself: it is {first.engine!r}'s baseline and newest one",
            remedy="Measure again, or name another one: 'understudy bench list'.",
        )
    found = compare(first, second, known.all)
    if not found.rows:
        raise UsageError(
            f"{first.id} and {second.id} have no text in common that both have figures of",
            remedy="Measure both in the same way: understudy bench run ENGINE",
        )
    if format_ == "json":
        print_json(comparison_json(found))
    else:
        out.print(draw_comparison(found))
        if plot:
            drawn = plot_comparison(
                found, width=min(out.width, 100), colour=out.is_terminal and not out.no_color
            )
            out.file.write(f"\n{drawn}\n")
    raise typer.Exit(ExitCode.FAILED if found.verdict is Verdict.SLOWER else ExitCode.OK)


def list_(
    engine: Annotated[str | None, typer.Argument(help="Only this engine, with a plot")] = None,
    *,
    access: Access,
    format_: FormatOption = "table",
) -> None:
    """List the benchmarks that are kept, the newest first, and which is the baseline."""
    from datetime import UTC, datetime

    from supervisor.baseline.standing import speed_of
    from supervisor.cli.console import out, print_json
    from supervisor.reporting.engines.benchmark_table import draw_list
    from supervisor.reporting.engines.speed_plot import plot_history

    known = asked(access, lambda daemon: daemon.benchmarks())
    wanted = [one for one in known.engines if engine in (None, one.engine)]
    if engine is not None and not wanted:
        names = ", ".join(one.engine for one in known.engines) or "none"
        raise UsageError(
            f"no benchmark of {engine!r} is kept", remedy=f"Engines that were measured: {names}."
        )
    if format_ == "json":
        print_json(known.model_copy(update={"engines": tuple(wanted)}).model_dump_json(indent=2))
        return
    out.print(draw_list(wanted, datetime.now(UTC)))
    for one in wanted if engine is not None else ():
        speed = speed_of([answer.record for answer in one.benchmarks])
        drawn = plot_history(
            one.engine,
            speed.history,
            speed.baseline,
            width=min(out.width, 100),
            colour=out.is_terminal and not out.no_color,
        )
        out.file.write(f"\n{drawn}\n" if drawn else "")


def import_(
    file: Annotated[Path, typer.Argument(help="llama-benchy's JSON, or one of ours")],
    *,
    access: Access,
    engine: Annotated[
        str | None, typer.Option(help="Keep it as this engine's (default: the file's model)")
    ] = None,
) -> None:
    """Keep a benchmark from a file: llama-benchy's, or one of another machine.

    What was measured elsewhere is shown and compared, and never becomes a baseline.
    """
    from chaos.http_client import open_session
    from supervisor.cli.benchmark_records import from_file, keeper
    from supervisor.cli.console import out
    from supervisor.stop import run

    one = from_file(file)
    if one.taken_by != "llama-benchy":
        one = one.model_copy(update={"taken_by": "import"})
    if engine:
        one = one.model_copy(update={"engine": engine[:500]})
    settings = access.settings()
    new: list[object] = []

    async def command(_: "Stop") -> int:
        async with open_session() as session, keeper(settings, session) as kept:
            new.append(await kept(one))
        return ExitCode.OK

    code = run(command)
    if code:
        raise typer.Exit(code)
    told = "was kept already" if new == [False] else "is kept"
    out.print(f"{one.id} {told}, of {one.engine}.", markup=False, soft_wrap=True)


def export(
    name: Annotated[str, typer.Argument(help="A benchmark's id, or an engine: its newest one")],
    *,
    access: Access,
    as_: Annotated[
        str, typer.Option("--as", help="llama-benchy, which its tools read, or understudy")
    ] = "llama-benchy",
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write (default: stdout)")
    ] = None,
) -> None:
    """Write a benchmark as JSON, for llama-benchy's tools or for another machine."""
    import json

    from supervisor.baseline import llama_benchy
    from supervisor.cli.benchmark_records import KnownBenchmarks
    from supervisor.cli.version import installed_version

    if as_ not in ("llama-benchy", "understudy"):
        raise UsageError(f"--as {as_!r} is no form", remedy="One of: llama-benchy, understudy.")
    one = KnownBenchmarks(access).find(name, newest=True)
    if as_ == "understudy":
        written = one.model_dump_json(indent=2, by_alias=True)
    else:
        if not one.figures:
            raise UsageError(
                f"{one.id} has no run that can be trusted",
                remedy="Export another one: 'understudy bench list'.",
            )
        written = json.dumps(llama_benchy.write(one, installed_version()), indent=2)
    write_output(written + "\n", output)


# --- what is measured -----------------------------------------------------------------


def _order(
    settings: "Settings",
    engine: str,
    *,
    texts: Sequence[str],
    concurrency: tuple[int, ...],
    model: str | None,
    note: str,
    method: dict[str, Any],
) -> "Order":
    from chaos.registry import lookup
    from supervisor.baseline.measure import Order
    from supervisor.baseline.record import MOST_NOTE, MOST_RUNS, Method
    from supervisor.baseline.text import TEXTS

    wanted = [lookup("text", one, TEXTS) for one in dict.fromkeys(texts)] or list(TEXTS.values())
    runs = len(wanted) * len(concurrency) * method["runs"]
    if runs > MOST_RUNS:
        raise UsageError(
            f"that would be {runs} runs, and a benchmark holds {MOST_RUNS}",
            remedy="Ask for fewer: --runs, --text, --concurrency.",
        )
    if len(note) > MOST_NOTE:
        raise UsageError(
            f"the note has {len(note)} characters, and may have {MOST_NOTE}",
            remedy="Shorten it.",
        )
    name, found, asked_for = _engine(settings, engine)
    return Order(
        name,
        found,
        model=model or asked_for,
        texts=wanted,
        concurrency=concurrency,
        method=Method(**method),
        note=note,
    )


def _engine(settings: "Settings", given: str) -> "tuple[str, EngineSettings, str | None]":
    """Find the engine: its name, how to reach it, and what it is asked for.

    Raises:
        UsageError: There is none of this name.
    """
    from yarl import URL

    from chaos.witness.redaction import without_userinfo
    from supervisor.engine.facts import root_of
    from supervisor.settings.model import EngineSettings
    from supervisor.settings.values import http_url

    name, equals, url = given.partition("=")
    if given.startswith(("http://", "https://")):
        name, url = without_userinfo(given.rstrip("/")), given
    elif not equals:
        url = ""
    if url or equals:
        try:
            address = str(URL(http_url(url)))
            wrong = "" if name else "it has no name"
        except ValueError as error:
            address, wrong = "", str(error)
        if wrong:
            raise UsageError(
                f"{without_userinfo(given)!r}: {wrong}",
                remedy="Such as: gemma=http://127.0.0.1:8000",
            )
        known = settings.engines.get(name)
        if known is not None and root_of(known.url) == root_of(address):
            return name, known, None
        # Log and container of the configured one say nothing of another address.
        return name, EngineSettings(url=address, key=known.key if known else None), None
    if given in settings.engines:
        return given, settings.engines[given], None
    return _of_gateway(settings, given)


def _of_gateway(settings: "Settings", given: str) -> "tuple[str, EngineSettings, str | None]":
    from chaos.registry import suggestion
    from supervisor.settings.model import EngineSettings
    from supervisor.stop import run

    named = list(settings.engines)
    found: dict[str, tuple[str, str]] = {}
    if settings.gateway.url is not None:

        async def command(_: "Stop") -> int:
            from supervisor.campaign.connection import connected
            from supervisor.daemon.gateway import local_engines

            # Without a key, say, the engines of the settings are all that can be known.
            with suppress(UsageError):
                async with connected(settings) as gateway:
                    topology = await gateway.topology()
                for group, url in local_engines(topology, settings.engine_urls).items():
                    found[group] = (url, topology.groups[group].deployments[0].upstream_model)
            return ExitCode.OK

        code = run(command)
        if code:
            raise typer.Exit(code)
    if given in found:
        url, model = found[given]
        return given, EngineSettings(url=url), model
    raise UsageError(
        f"no local engine is called {given!r}",
        remedy=f"{suggestion(given, dict.fromkeys([*named, *found])).capitalize()} Or give its "
        "address: understudy bench run NAME=http://127.0.0.1:8000",
    )


def _taken(
    settings: "Settings", order: "Order", *, keep: bool
) -> "tuple[Benchmark, UnderstudyError | None]":
    """Measure, and keep the result where it is to be kept.

    Returns:
        The result, and why it could not be kept; None if it was, or was not to be.
    """
    from supervisor.stop import run

    found: list[Benchmark] = []
    troubles: list[UnderstudyError] = []

    async def command(_: "Stop") -> int:
        import aiohttp

        from chaos.clock import SystemClock
        from chaos.http_client import open_session
        from supervisor.baseline.measure import measure
        from supervisor.cli.bench_progress import LiveBenchmark
        from supervisor.cli.benchmark_records import keeper
        from supervisor.cli.console import err

        # Its own limit would queue what is to be asked at once.
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            open_session(connector=connector) as session,
            keeper(settings, session, keep=keep) as kept,
        ):
            with LiveBenchmark(err) as live:
                found.append(await measure(session, SystemClock(), order, live.take))
            try:
                await kept(found[0])
            except (UnderstudyError, aiohttp.ClientError, TimeoutError) as error:
                why = getattr(error, "message", None) or str(error) or type(error).__name__
                troubles.append(
                    UsageError(
                        f"it was measured, and could not be kept: {why}",
                        remedy="With --output FILE it is in that file, to be compared with.",
                    )
                )
        return ExitCode.OK

    code = run(command)
    if not found:
        raise typer.Exit(code)
    return found[0], troubles[0] if troubles else None
