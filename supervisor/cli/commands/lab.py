"""``understudy lab``: simulated providers and an engine behind a real LiteLLM."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from chaos.exit_code import ExitCode
from chaos.gateway.redirect_permission import WITNESS_PORT
from supervisor.cli import completion
from supervisor.cli.gateway_options import Format, finite

if TYPE_CHECKING:
    from supervisor.stop import Stop


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("lab")(lab)


def lab(
    *,
    setup: Annotated[
        str,
        typer.Option(
            help="healthy, no_fallbacks, no_tool_flags, wrong_parser, no_reasoning_parser, "
            "renamed, short_context, hung or down",
            autocompletion=completion.setups,
        ),
    ] = "healthy",
    engine_kind: Annotated[
        Literal["simulated", "vllm"],
        typer.Option(help="The engine: simulated, or a real vLLM on the CPU with a tiny model"),
    ] = "simulated",
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare",
            help="Only install the lab's LiteLLM (with --engine-kind vllm its vLLM too), then end",
        ),
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Where it is installed (default: ~/.cache/understudy)"),
    ] = None,
    litellm_version: Annotated[
        str | None,
        typer.Option(help="LiteLLM's version (default: the one that Understudy is verified with)"),
    ] = None,
    witness_port: Annotated[
        int, typer.Option(help="Port that the lab's gateway may be redirected to")
    ] = WITNESS_PORT,
    start_within: Annotated[
        float,
        typer.Option(
            help="Seconds that LiteLLM, and vLLM, may take to start", min=1, callback=finite
        ),
    ] = 600.0,
    format_: Annotated[Format, typer.Option("--format", help="Form of the addresses")] = "table",
) -> None:
    """Start a lab to drill against: simulated providers, an engine, and a real LiteLLM in front.

    Runs until Ctrl-C. In another terminal: understudy drill with the line that it prints.
    """
    from supervisor.stop import run

    async def command(stop: "Stop") -> int:
        from chaos.gateway.install import install_litellm
        from chaos.gateway.releases import LITELLM_VERSION
        from chaos.lab.install import install_vllm
        from chaos.process.environment import default_folder
        from supervisor.cli.console import say

        # Without --dir the lab finds its own, or the one that the environment names.
        litellm = vllm = None
        if prepare or directory is not None or litellm_version is not None:
            litellm = await install_litellm(
                directory or default_folder(), litellm_version or LITELLM_VERSION, say=say
            )
            if engine_kind == "vllm":
                vllm = await install_vllm(directory or default_folder(), say=say)
        if prepare:
            return ExitCode.OK
        return await _run_lab(
            setup, engine_kind, (litellm, vllm), witness_port, start_within, format_, stop
        )

    raise typer.Exit(run(command))


async def _run_lab(
    setup: str,
    engine_kind: str,
    executables: tuple[Path | None, Path | None],
    witness_port: int,
    start_within: float,
    form: Format,
    stop: "Stop",
) -> int:
    import tempfile

    from rich.text import Text

    from chaos.lab.lab import running_lab
    from chaos.process.readiness import StartLimit
    from supervisor.cli.console import out, print_json, say
    from supervisor.cli.own_command import own_command

    with tempfile.TemporaryDirectory(prefix="understudy-lab-") as folder:
        async with running_lab(
            setup,
            Path(folder),
            litellm=executables[0],
            vllm=executables[1],
            witness_port=witness_port,
            engine_kind=engine_kind,
            limit=StartLimit(start_within, "--start-within"),
            say=say,
        ) as running:
            if form == "json":
                addresses = {
                    "gateway_url": running.gateway_url,
                    "key": running.key,
                    "admin_key": running.admin_key,
                    "engines": dict(running.engines),
                }
                print_json(json.dumps(addresses))
            else:
                out.print(f"gateway    {running.gateway_url}")
                out.print(f"key        {running.key}")
                for name, url in running.engines.items():
                    out.print(f"engine     {name} at {url}")
                line = (
                    f"LAB_KEY={running.key} {own_command()} drill --gateway {running.gateway_url} "
                    f"--key-env LAB_KEY --witness-listen 127.0.0.1:{witness_port}"
                )
                # Not wrapped, and brackets in a path are no markup: it is pasted as it stands.
                out.print(Text(f"\n{line}"), soft_wrap=True)
                say("Ctrl-C ends the lab.")
            await stop.event.wait()
    return ExitCode.OK
