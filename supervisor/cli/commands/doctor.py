"""``understudy doctor``: can this machine, with this configuration, drill?"""

from typing import TYPE_CHECKING, Annotated

import typer

from chaos.errors import UnderstudyError
from supervisor.cli.gateway_options import Access, Format, with_access

if TYPE_CHECKING:
    from supervisor.doctor.items import Item
    from supervisor.stop import Stop


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("doctor")(with_access(doctor))


def doctor(
    *,
    access: Access,
    format_: Annotated[Format, typer.Option("--format", help="Form of the report")] = "table",
) -> None:
    """Check that this machine and this configuration can drill, item by item.

    No model request is sent. Exit code: 0 drills are possible, 1 something keeps them from
    working, 2 the configuration is broken.

      understudy doctor --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY
    """
    from supervisor.doctor.items import DoctorReport, exit_code
    from supervisor.stop import run

    async def command(_: "Stop") -> int:
        from supervisor.cli.console import print_json, show
        from supervisor.reporting.doctor_table import draw

        items = await _examined(access)
        if format_ == "json":
            report = DoctorReport(items=tuple(items))
            print_json(report.model_dump_json(by_alias=True, indent=2))
        else:
            show(draw(items))
        return exit_code(items)

    raise typer.Exit(run(command))


async def _examined(access: Access) -> "list[Item]":
    from chaos.clock import SystemClock
    from supervisor.campaign.connection import connected
    from supervisor.doctor.files import files
    from supervisor.doctor.gateway import gateway_items
    from supervisor.doctor.items import CONFIGURATION, fail, ok
    from supervisor.doctor.machine import machine, other_supervisor, python
    from supervisor.doctor.ways import ways
    from supervisor.settings.model import settings_path

    items = [python(), other_supervisor()]
    try:
        settings = access.settings(may_be_empty=False)
    except UnderstudyError as error:
        return [*items, fail(CONFIGURATION, error.message, error.remedy)]
    path = settings_path(access.config)
    found = f"{path} is valid" if path else "there is no file, the defaults hold"
    items += [ok(CONFIGURATION, found), *files(path, settings)]
    try:
        async with connected(settings) as gateway:
            items += await gateway_items(gateway, settings, now=SystemClock().now())
    except UnderstudyError as error:
        items.append(fail("gateway", error.message, error.remedy))
    items += machine(settings)
    return [*items, *ways(items, settings)]
