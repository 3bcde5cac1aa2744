"""``understudy init``: a first configuration from what the running gateway says."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from chaos.exit_code import ExitCode
from chaos.gateway.redirect_permission import WITNESS_PORT
from supervisor.cli.gateway_options import Access, with_access
from supervisor.cli.output_file import check_new, write_new

if TYPE_CHECKING:
    from supervisor.stop import Stop

Placement = Literal["host", "bridge", "compose"]


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("init")(with_access(init))


def init(
    *,
    access: Access,
    output: Annotated[
        Path, typer.Option(help="File to write; '-' prints it", dir_okay=False)
    ] = Path("understudy.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file")] = False,
    placement: Annotated[
        Placement | None,
        typer.Option(
            help="Where LiteLLM runs: on the host, in a container on Docker's bridge, or in the "
            "same Compose project (default: detected)"
        ),
    ] = None,
    witness_port: Annotated[
        int, typer.Option(help="Port of the witness", min=1, max=65535)
    ] = WITNESS_PORT,
) -> None:
    """Write a commented configuration from what the running gateway says.

    Prints the lines that LiteLLM's own configuration needs, so that drills can be redirected.

      understudy init --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY
    """
    from supervisor.stop import run

    printed = str(output) == "-"
    if not printed:
        check_new(output, force=force)
    settings = access.settings()

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock
        from supervisor.campaign.connection import connected
        from supervisor.cli.console import out, print_json, say
        from supervisor.settings.file import parse_settings
        from supervisor.setup.first_config import first_config, litellm_lines
        from supervisor.setup.placement import Place, detect, look_around
        from supervisor.setup.placement import placement as place_witness
        from supervisor.setup.sparkrun import proxy_config

        async with connected(settings) as open_gateway:
            topology = await open_gateway.topology()
        url = settings.gateway.url or ""
        seen = look_around(url)
        place = Place(placement) if placement else detect(url, seen)
        found = place_witness(place, url, seen, witness_port)
        own_config = proxy_config(Path.home(), url)
        text = first_config(
            settings,
            topology,
            found,
            today=SystemClock().now().date(),
            litellm_config=own_config,
        )
        parse_settings(text, name=str(output))  # what we write ourselves must be right
        chosen = "as asked" if placement else "detected; --placement overrides it"
        say(f"placement: {place} ({chosen}). {found.sentence}")
        if own_config is not None:
            say(
                f"this is sparkrun's proxy: a twin of {own_config} is proposed, LiteLLM "
                f"{topology.litellm_version}"
            )
        lines = litellm_lines(topology, found)
        if printed:
            print_json(text.rstrip("\n"))
            say(f"\n{lines}")
            return ExitCode.OK
        write_new(output, text)
        out.print(lines, markup=False, soft_wrap=True)
        say(f"\nwritten to {output}; next: understudy doctor --config {output}")
        return ExitCode.OK

    raise typer.Exit(run(command))
