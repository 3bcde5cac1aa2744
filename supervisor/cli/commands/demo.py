"""``understudy demo``: the story of a fallback that does not hold."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from supervisor.cli.gateway_options import finite

if TYPE_CHECKING:
    from supervisor.stop import Stop


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("demo")(demo)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End by itself, also on a terminal")] = False,
    engine_kind: Annotated[
        Literal["simulated", "vllm"],
        typer.Option(help="The engine: simulated, or a real vLLM on the CPU with a tiny model"),
    ] = "simulated",
    start_within: Annotated[
        float,
        typer.Option(
            help="Seconds that LiteLLM, and vLLM, may take to start", min=1, callback=finite
        ),
    ] = 600.0,
) -> None:
    """Start a lab with a real LiteLLM and tell the story of a fallback that does not hold.

    Takes under two minutes once the lab's LiteLLM is installed (understudy lab --prepare). With
    --engine-kind vllm it takes some six minutes: a real vLLM is started four times. On a terminal
    lab and daemon go on until Ctrl-C, to be looked at. Exit code: 0 if every step came out as
    told, 1 if not.
    """
    from supervisor.stop import run

    async def command(stop: "Stop") -> int:
        # Imported late: the lab is heavy, and --help should come at once.
        from supervisor.cli.console import err, out, say
        from supervisor.cli.demo import tell_the_story

        async def until_ctrl_c() -> None:
            stop.watched()  # From now on it is how the demo ends, and not how it is broken off.
            await stop.event.wait()

        return await tell_the_story(
            out,
            err,
            say,
            engine_kind=engine_kind,
            start_within_s=start_within,
            linger=until_ctrl_c if out.is_terminal and not once else None,
        )

    raise typer.Exit(run(command))
