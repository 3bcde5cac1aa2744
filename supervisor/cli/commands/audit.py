"""``understudy audit``: what is wrong with a gateway, without a model request."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.cli.gateway_options import Access, Format, with_access

if TYPE_CHECKING:
    from supervisor.stop import Stop

LitellmConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--litellm-config",
        help="LiteLLM's configuration file, for what the gateway does not report",
    ),
]


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("audit")(with_access(audit))


def audit(
    *,
    access: Access,
    litellm_config: LitellmConfigOption = None,
    format_: Annotated[Format, typer.Option("--format", help="Form of the report")] = "table",
) -> None:
    """Find what is wrong with a gateway and its engines, without sending a model request.

    Exit code: 0 clean or only notes, 1 an error or a warning, 2 the gateway cannot be asked.

      understudy audit --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY
    """
    from supervisor.stop import run

    settings = access.settings()

    async def command(_: "Stop") -> int:
        from supervisor.audit.facts import gather
        from supervisor.audit.report import exit_code, report_of
        from supervisor.audit.rules import run_audits
        from supervisor.campaign.connection import connected
        from supervisor.campaign.engine_names import refuse_unknown_engines
        from supervisor.cli.console import print_json, show
        from supervisor.reporting.audit_table import draw

        async with connected(settings) as open_gateway:
            audited = await gather(
                open_gateway, settings, litellm_config or settings.twin.litellm_config
            )
        refuse_unknown_engines(settings.engines, audited.topology)
        report = report_of(run_audits(audited))
        if format_ == "json":
            print_json(report.model_dump_json(by_alias=True, indent=2))
        else:
            show(draw(report))
        return exit_code(report)

    raise typer.Exit(run(command))
