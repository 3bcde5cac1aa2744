"""``understudy audit``: what is wrong with a gateway, without a model request."""

from pathlib import Path
from typing import Annotated

import typer

from supervisor.cli.console import Format, out, print_json
from supervisor.cli.gateway_options import (
    Access,
    AdminKeyEnvOption,
    AdminKeyFileOption,
    ConfigOption,
    GatewayOption,
    KeyEnvOption,
    KeyFileOption,
    connected,
)
from supervisor.stop import Stop, run

LitellmConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--litellm-config", help="LiteLLM's configuration file, for what the gateway does not tell"
    ),
]


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("audit")(audit)


def audit(
    *,
    config: ConfigOption = None,
    gateway: GatewayOption = None,
    key_env: KeyEnvOption = None,
    key_file: KeyFileOption = None,
    admin_key_env: AdminKeyEnvOption = None,
    admin_key_file: AdminKeyFileOption = None,
    litellm_config: LitellmConfigOption = None,
    format_: Annotated[Format, typer.Option("--format", help="Form of the report")] = "table",
) -> None:
    """Find what is wrong with a gateway and its engines, without sending a model request.

    Exit code: 0 clean or only notes, 1 an error or a warning, 2 the gateway cannot be asked.

      understudy audit --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY
    """
    access = Access(config, gateway, key_env, key_file, admin_key_env, admin_key_file)
    settings = access.settings()

    async def command(_: Stop) -> int:
        from supervisor.audit.facts import gather
        from supervisor.audit.report import exit_code, report_of
        from supervisor.audit.rules import run_audits
        from supervisor.reporting.audit_table import draw

        async with connected(settings) as open_gateway:
            audited = await gather(
                open_gateway, settings, litellm_config or settings.twin.litellm_config
            )
        report = report_of(run_audits(audited))
        if format_ == "json":
            print_json(report.model_dump_json(by_alias=True, indent=2))
        else:
            out.print(draw(report))
        return exit_code(report)

    raise typer.Exit(run(command))
