"""``understudy service``: the systemd service of this machine."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from chaos.exit_code import ExitCode
from supervisor.cli.gateway_options import ConfigOption, Format

if TYPE_CHECKING:
    from supervisor.service.host import Host

DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; show what would be done")]


def add(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Install, look at and remove the systemd service of this machine.",
    )
    group.command("install")(install)
    group.command("uninstall")(uninstall)
    group.command("status")(status)
    app.add_typer(group, name="service")


def install(*, config: ConfigOption = None, dry_run: DryRun = False) -> None:
    """Install the service or bring it up to date, start it, and wait until it is ready.

    Asks nothing, prints each step, and puts everything back if one fails; a second run changes
    only what has changed. Needs root, and an installation from a wheel that other users can see:

      sudo python3 -m venv /opt/understudy
      sudo /opt/understudy/bin/pip install understudy-*.whl
      sudo /opt/understudy/bin/understudy service install --config FILE

    FILE becomes /etc/understudy/understudy.yaml (what was there is kept as understudy.yaml.before);
    without --config that is used as it is. A secret
    that it names by a variable is expected in /etc/understudy/credentials/VARIABLE, for root alone,
    or in the environment of this command, and is written there then.

    Exit code: 0 it runs, 1 it does not and everything is as before, 2 the configuration is broken.
    """

    def work(host: "Host") -> None:
        import os

        from supervisor.service.install import Wish
        from supervisor.service.install import install as install_service
        from supervisor.service.machine import this_machine
        from supervisor.settings.file import read_settings
        from supervisor.settings.model import DEFAULT_FILE

        file = config or DEFAULT_FILE
        text = read_settings(file)
        install_service(host, Wish(this_machine(host), text, str(file), os.environ))

    _changing(work, dry_run=dry_run)


def uninstall(*, dry_run: DryRun = False) -> None:
    """Stop the service and remove everything that was installed but its store.

    What it remembers stays in /var/lib/understudy, with the configuration beside it; the program
    itself stays in /opt/understudy.
    """

    def work(host: "Host") -> None:
        from supervisor.service.uninstall import uninstall as uninstall_service

        uninstall_service(host)

    _changing(work, dry_run=dry_run)


def status(
    *, format_: Annotated[Format, typer.Option("--format", help="Form of the output")] = "table"
) -> None:
    """Show how the service is, and what is to be done about it.

    Exit code: 0 it runs, holds its port and starts at boot; 1 it does not.
    """
    from supervisor.cli.console import complain, out, print_json, say
    from supervisor.reporting.service_table import draw
    from supervisor.service.condition import condition
    from supervisor.service.host import Host, ServiceError

    try:
        seen = condition(Host(say))
    except ServiceError as error:
        complain(error)
        raise typer.Exit(ExitCode.FAILED) from None
    if format_ == "json":
        print_json(seen.model_dump_json(indent=2, by_alias=True))
    else:
        out.print(draw(seen))
    raise typer.Exit(ExitCode.FAILED if seen.problems else ExitCode.OK)


def _changing(work: "Callable[[Host], None]", *, dry_run: bool) -> None:
    """Do what changes the machine; exit 1 if it could not be done."""
    from supervisor.cli.console import complain, out
    from supervisor.service.host import Host, ServiceError
    from supervisor.service.machine import check_root

    host = Host(lambda line: out.print(line, markup=False, soft_wrap=True), dry=dry_run)
    try:
        check_root(host)
        work(host)
    except ServiceError as error:
        complain(error)
        raise typer.Exit(ExitCode.FAILED) from None
