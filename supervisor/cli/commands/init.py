"""``understudy init``: a first configuration from what the running gateway says."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from chaos.errors import UsageError
from chaos.exit_code import ExitCode
from chaos.gateway.redirect_permission import WITNESS_PORT
from supervisor.cli.gateway_options import Access, with_access

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
        _check_output(output, force=force)
    settings = access.settings()

    async def command(_: "Stop") -> int:
        from chaos.clock import SystemClock
        from supervisor.audit.facts import wildcards_of
        from supervisor.campaign.connection import connected
        from supervisor.cli.console import out, print_json, say
        from supervisor.settings.file import parse_settings
        from supervisor.setup.first_config import first_config, litellm_lines
        from supervisor.setup.placement import Place, detect, look_around
        from supervisor.setup.placement import placement as place_witness

        async with connected(settings) as open_gateway:
            topology = await open_gateway.topology()
            wildcards = wildcards_of(topology, await open_gateway.model_ids())
        url = settings.gateway.url or ""
        seen = look_around(url)
        place = Place(placement) if placement else detect(url, seen)
        found = place_witness(place, url, seen, witness_port)
        text = first_config(
            settings, topology, found, wildcards=wildcards, today=SystemClock().now().date()
        )
        parse_settings(text, name=str(output))  # what we write ourselves must be right
        chosen = "as asked" if placement else "detected; --placement overrides it"
        say(f"placement: {place} ({chosen}). {found.sentence}")
        lines = litellm_lines(topology, found, wildcards)
        if printed:
            print_json(text.rstrip("\n"))
            say(f"\n{lines}")
            return ExitCode.OK
        _write(output, text)
        out.print(lines, markup=False, soft_wrap=True)
        say(f"\nwritten to {output}; next: understudy doctor --config {output}")
        return ExitCode.OK

    raise typer.Exit(run(command))


def _check_output(output: Path, *, force: bool) -> None:
    """Find out before the gateway is asked.

    Raises:
        UsageError: The file is there, or could not be written.
    """
    if output.exists() and not force:
        raise UsageError(
            f"{output} is there already",
            remedy="Give --force to overwrite it, or another file with --output.",
        )
    folder = output.parent
    if not folder.is_dir() or not os.access(output if output.exists() else folder, os.W_OK):
        raise UsageError(
            f"{output} cannot be written",
            remedy="Name a file in a folder that exists and that this user may write, "
            "with --output.",
        )


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}", remedy="Name another with --output."
        ) from error
