"""``understudy faults``, ``shapes`` and ``checks``: what there is, from the registries."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.cli.gateway_options import Format

if TYPE_CHECKING:
    from rich.text import Text

FormatOption = Annotated[Format, typer.Option("--format", help="Form of the list")]


def add(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("faults")(faults)
    app.command("shapes")(shapes)
    app.command("checks")(checks)


def faults(format_: FormatOption = "table") -> None:
    """List the ways a provider can be made to fail, and the variants of each."""
    from chaos.faults.kinds import FAULTS, variants_of

    _show(
        [
            {
                "name": name,
                "phase": fault.phase.value,
                "variants": list(variants_of(name)),
                "summary": fault.summary,
            }
            for name, fault in FAULTS.items()
        ],
        format_,
    )


def shapes(format_: FormatOption = "table") -> None:
    """List the kinds of requests that drills send."""
    from chaos.traffic.shapes import SHAPES

    _show(
        [
            {
                "name": name,
                "surfaces": sorted(shape.surfaces),
                "summary": shape.summary,
            }
            for name, shape in SHAPES.items()
        ],
        format_,
    )


def checks(format_: FormatOption = "table") -> None:
    """List the checks that judge a drill."""
    from chaos.judge.checks import CHECKS

    _show([{"name": check.name, "summary": check.summary} for check in CHECKS], format_)


def _show(rows: Sequence[Mapping[str, str | list[str]]], form: Format) -> None:
    from rich.table import Table
    from rich.text import Text

    from supervisor.cli.console import out, print_json

    if form == "json":
        print_json(json.dumps(rows, indent=2))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    for row in rows:
        table.add_row(Text(str(row["name"]), "bold"), _told(row))
    out.print(table)


def _told(row: Mapping[str, str | list[str]]) -> "Text":
    from rich.text import Text

    text = Text(str(row["summary"]))
    for name, value in row.items():
        if name not in ("name", "summary") and value:
            listed = value if isinstance(value, str) else ", ".join(value)
            text.append(f"\n{name}: {listed}", style="dim")
    return text
