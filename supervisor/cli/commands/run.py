"""``understudy run``: the daemon."""

import os
from functools import partial
from typing import TYPE_CHECKING

import typer

from supervisor.cli.gateway_options import Access, with_access

if TYPE_CHECKING:
    from supervisor.stop import Stop


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("run")(with_access(run_daemon))


def run_daemon(*, access: Access) -> None:
    """Rehearse on schedule, and remember what was proven when, until Ctrl-C or SIGTERM.

    Every path of the gateway is drilled in turn, the one at most risk first. SIGHUP reads the
    configuration anew. Exit code: 130 after Ctrl-C and 143 after SIGTERM, when everything has been
    written down; 2 if it cannot start.

      understudy run --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY
    """
    from supervisor.cli.version import installed_version
    from supervisor.daemon.service import Service, reloading_at_hangup
    from supervisor.log import configure
    from supervisor.stop import run
    from supervisor.systemd import Systemd, passed_sockets, refuse_waiting

    configure()
    held = passed_sockets(os.environ)
    waiting = [one.dup() for one in held]
    try:
        service = Service(
            partial(access.settings, may_be_empty=False),
            installed_version(),
            systemd=Systemd.of(os.environ),
            held=held,
        )

        async def command(stop: "Stop") -> int:
            stop.watched()
            with reloading_at_hangup(service.reload):
                await service.run(stop.event, lambda _: None)
            return stop.exit_code

        raise typer.Exit(run(command, ends_at_hangup=False))
    finally:
        # Whoever called in vain would have systemd start the daemon anew, again and again.
        for one in waiting:
            refuse_waiting(one)
            one.close()
