"""``understudy faults``, ``shapes``, ``clients`` and ``checks``: what the registries hold."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supervisor.cli.gateway_options import Format

if TYPE_CHECKING:
    from rich.text import Text

    from chaos.traffic.client import Client, Sent

FormatOption = Annotated[Format, typer.Option("--format", help="Form of the list")]


def add(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("faults")(faults)
    app.command("shapes")(shapes)
    app.command("clients")(clients)
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


def clients(format_: FormatOption = "table") -> None:
    """List the clients whose way of asking is known: --as NAME, rehearse.clients.

    Each header and parameter has its source in --format json; what no source confirms is marked.
    """
    from chaos.traffic.clients import CLIENTS

    if format_ == "json":
        _show([_client_in_full(client) for client in CLIENTS.values()], format_)
        return
    _show(
        [
            {
                "name": name,
                "summary": client.summary,
                "surfaces": list(client.surfaces),
                "headers": list(client.headers),
                "parameters": list(
                    dict.fromkeys(p for asked in client.asks.values() for p in asked)
                ),
                "unconfirmed": list(client.unconfirmed),
            }
            for name, client in CLIENTS.items()
        ],
        format_,
    )


def _client_in_full(client: "Client") -> dict[str, Any]:
    """Write each header and parameter with its value and its source."""
    return {
        "name": client.name,
        "summary": client.summary,
        "surfaces": list(client.surfaces),
        "shapes": list(client.shapes),
        "headers": _sent(client.headers),
        "parameters": {surface: _sent(asked) for surface, asked in client.asks.items()},
    }


def _sent(parts: Mapping[str, "Sent"]) -> dict[str, Any]:
    return {
        name: {
            "value": sent.value,
            "source": sent.source,
            "unconfirmed": sent.unconfirmed,
            "models": sent.models,
        }
        for name, sent in parts.items()
    }


def checks(format_: FormatOption = "table") -> None:
    """List the checks that judge a drill."""
    from chaos.judge.checks import CHECKS

    _show([{"name": check.name, "summary": check.summary} for check in CHECKS], format_)


def _show(rows: Sequence[Mapping[str, Any]], form: Format) -> None:
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


def _told(row: Mapping[str, Any]) -> "Text":
    from rich.text import Text

    text = Text(str(row["summary"]))
    for name, value in row.items():
        if name not in ("name", "summary") and value:
            listed = value if isinstance(value, str) else ", ".join(value)
            text.append(f"\n{name}: {listed}", style="dim")
    return text
