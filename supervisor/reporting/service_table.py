"""Draw the service's condition for people."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from supervisor.service.condition import ServiceCondition


def draw(seen: ServiceCondition) -> RenderableType:
    """Draw everything that is known."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    since = f" since {seen.since}" if seen.since and seen.state == "active" else ""
    table.add_row(
        "service", Text(f"{seen.state}{since}", "green" if seen.state == "active" else "bold red")
    )
    if seen.status:
        table.add_row("says", Text(seen.status))
    if seen.pid is not None:
        memory = f", {seen.memory_bytes / 1e6:.0f} MB" if seen.memory_bytes else ""
        table.add_row("process", Text(f"{seen.pid}{memory}, restarted {seen.restarts} times"))
    if seen.installed:
        table.add_row("witness's port", Text("held" if seen.holds_port else "not held"))
        table.add_row("at boot", Text("started" if seen.at_boot else "not started"))
    for problem in seen.problems:
        table.add_row("problem", Text(problem, "bold red"))
    return table
