"""The commands of ``understudy``.

To add one: a new file here with ``add(app)``, which registers one command (or a group of them)
on the typer application, and its name below. What a command imports while it is only listed
costs every start, so heavy imports go inside the command.
"""

from supervisor.cli.commands import (
    alerts,
    audit,
    bench,
    config,
    demo,
    doctor,
    drill,
    halt,
    history,
    init,
    lab,
    registries,
    rehearse_upgrade,
    rollout,
    run,
    service,
    status,
    store,
)

COMMANDS = (
    demo.add,
    lab.add,
    drill.add,
    rehearse_upgrade.add,
    audit.add,
    doctor.add,
    init.add,
    run.add,
    service.add,
    status.add,
    history.add,
    halt.add,
    alerts.add,
    bench.add,
    rollout.add,
    store.add,
    config.add,
    registries.add,
)
