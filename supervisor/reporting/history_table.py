"""Draw drills that have ended for people: one line each, newest first."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from supervisor.age import ago
from supervisor.reporting.drill_details import shown
from supervisor.web.answers.drills import DrillAnswer


def draw(drills: Sequence[DrillAnswer], now: datetime) -> RenderableType:
    """Draw a line for each drill."""
    if not drills:
        return Text("No drill fits.")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("id", "ended", "path", "fault", "verdict", "kind"):
        # The id is copied; it stays whole as long as it fits at all.
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for one in drills:
        word, style = shown(one.drill)
        table.add_row(
            one.drill.id,
            ago(one.ended_at, now),
            Text(one.path),
            Text(one.drill.scenario.fault),
            Text(word, style),
            Text(one.drill.kind.value if one.drill.kind else ""),
        )
    return table
