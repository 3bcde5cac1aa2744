"""Show a running campaign on a terminal: a bar and the last verdicts; silent elsewhere."""

from collections import Counter, deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from chaos.drill.events import CampaignPlanned, DrillEnded, DrillStarted, Event
from chaos.drill.report import DrillRow, row_of
from supervisor.reporting.drill_table import table

SHOWN = 8
"""How many of the last drills the live table holds."""


class LiveDrills:
    """A progress bar over a live table of the last drills.

    On anything but a terminal it draws nothing, so that logs stay readable.
    """

    def __init__(self, console: Console) -> None:
        self._rows: deque[DrillRow] = deque(maxlen=SHOWN)
        self._counts: Counter[str] = Counter()
        self._running: dict[str, str] = {}
        self._progress = Progress(
            TextColumn("drilling"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
        )
        self._task: TaskID | None = None
        self._live = Live(
            console=console, refresh_per_second=8, transient=True, get_renderable=self._draw
        )
        self._shown = console.is_terminal

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._live.stop()

    def take(self, event: Event) -> None:
        """Show what has happened."""
        if isinstance(event, CampaignPlanned):
            self.planned(len(event.plans))
        elif isinstance(event, DrillStarted):
            self.started(event.plan.id, event.plan.scenario.key)
        elif isinstance(event, DrillEnded):
            self.ended(row_of(event.drill, litellm_version=""))

    def planned(self, drills: int) -> None:
        """So many drills are to come."""
        self._task = self._progress.add_task("", total=drills)

    def started(self, drill: str, scenario: str) -> None:
        """A drill has begun."""
        self._running[drill] = scenario

    def ended(self, row: DrillRow) -> None:
        """A drill has ended."""
        self._running.pop(row.id, None)
        self._rows.append(row)
        self._counts[row.outcome.value] += 1
        if self._task is not None:
            counts = ", ".join(f"{count} {word}" for word, count in self._counts.items())
            self._progress.update(self._task, advance=1, description=counts)

    def _draw(self) -> Group:
        now = [Text(f"… {key}", style="dim") for key in list(self._running.values())[:4]]
        return Group(table(list(self._rows)), *now, self._progress)
