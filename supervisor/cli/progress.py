"""Show a running campaign: a bar and the last verdicts on a terminal, a few lines elsewhere."""

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
from supervisor.cli.running.lines import ProgressLines
from supervisor.cli.running.time_left import TimeLeft
from supervisor.reporting.drill_table import DrillTable, table

SHOWN = 8
"""How many of the last drills the live table holds, where the terminal is high enough."""

OTHER_LINES = 2
"""Of a frame, besides the table and what runs: the bar, and the line that the cursor is on."""


class LiveDrills:
    """A progress bar over a live table of the last drills.

    On anything but a terminal it draws nothing, so that logs stay readable: there a line is said
    now and then.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._over = False
        self._rows: deque[DrillRow] = deque(maxlen=SHOWN)
        self._counts: Counter[str] = Counter()
        self._running: dict[str, str] = {}
        self._progress = Progress(
            TextColumn("drilling"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._task: TaskID | None = None
        self._live = Live(
            console=console, refresh_per_second=8, transient=True, get_renderable=self._draw
        )
        self._shown = console.is_terminal
        self._left = TimeLeft()
        self._lines = ProgressLines(
            lambda line: console.print(Text(line), soft_wrap=True), self._left
        )

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        else:
            self._lines.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._shown:
            self._lines.stop()
            return
        # It draws its last frame whole, and cannot take back what has left the screen.
        self._over = True
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
        self._left.planned = drills
        self._task = self._progress.add_task("", total=drills, left="")

    def started(self, drill: str, scenario: str) -> None:
        """A drill has begun."""
        self._left.begin()
        self._running[drill] = scenario

    def ended(self, row: DrillRow) -> None:
        """A drill has ended."""
        self._running.pop(row.id, None)
        self._rows.append(row)
        self._counts[row.outcome.value] += 1
        self._left.ended += 1
        if not self._shown:
            self._lines.ended(row)
        if self._task is not None:
            counts = ", ".join(f"{count} {word}" for word, count in self._counts.items())
            self._progress.update(self._task, advance=1, description=counts, left=self._left.words)

    def _draw(self) -> Group:
        if self._over:
            return Group()
        now = [Text(f"… {key}", style="dim") for key in list(self._running.values())[:4]]
        for text in now:
            text.truncate(self._console.width, overflow="ellipsis")
        return Group(
            *self._table(self._console.height - len(now) - OTHER_LINES), *now, self._progress
        )

    def _table(self, room: int) -> list[DrillTable]:
        """Draw as many of the last drills as there is room for; a header alone says nothing."""
        rows = list(self._rows)
        while rows:
            drawn = table(rows)
            if len(self._console.render_lines(drawn, pad=False)) <= room:
                return [drawn]
            rows.pop(0)
        return []
