"""``understudy config``: check a configuration file, or describe it to an editor."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from supervisor.cli.gateway_options import ConfigOption


def add(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Check a configuration file, or describe it to an editor."
    )
    group.command("check")(check)
    group.command("schema")(schema)
    app.add_typer(group, name="config")


def check(
    file: Annotated[
        Path | None, typer.Argument(help="The file to check (default: the one that is used)")
    ] = None,
    *,
    config: ConfigOption = None,
) -> None:
    """Check a configuration file: print every problem in it, or say what it means.

    Exit code: 0 if it is valid, 2 if not. Keys are looked for when they are used, not here.
    """
    from supervisor.cli.console import out
    from supervisor.settings.file import load_settings
    from supervisor.settings.model import settings_path
    from supervisor.settings.summary import meaning, warnings

    path = settings_path(file or config)
    settings = load_settings(path, may_be_empty=False)
    if path is None:
        out.print("There is no configuration file: the defaults hold.", markup=False)
    else:
        out.print(f"{path} is valid.", markup=False, soft_wrap=True)
    for line in meaning(settings):
        out.print(f"  {line}", markup=False, soft_wrap=True)
    for line in warnings(settings, datetime.now(UTC).date()):
        out.print(f"  warning: {line}", markup=False, soft_wrap=True)


def schema() -> None:
    """Print the JSON schema of the configuration file, for editors and other checkers.

      understudy config schema > understudy.schema.json

    Then, as the file's first line: # yaml-language-server: $schema=understudy.schema.json
    """
    from supervisor.cli.console import print_json
    from supervisor.settings.file import schema as file_schema

    print_json(json.dumps(file_schema(), indent=2))
