"""Show a running benchmark on a terminal; silent elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from supervisor.baseline.measure import Progress as Step


class LiveBenchmark:
    """A bar, and the speed of the last run."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("measuring"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", total=None)
        self._last = ""
        self._shown = console.is_terminal

    def __enter__(self) -> Self:
        if self._shown:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._progress.stop()

    def take(self, step: Step) -> None:
        """Show how far it is."""
        if step.run is not None:
            speed = step.run.decode_tps
            self._last = (
                f"not counted: {step.run.doubts[0]}"
                if step.run.doubts
                else f"{speed:.1f} tokens/s"
                if speed
                else ""
            )
        many = f", {step.concurrency} at once" if step.concurrency > 1 else ""
        words = f"{step.text}{many}" + (f"; last {self._last}" if self._last else "")
        self._progress.update(
            self._task, total=step.planned, completed=step.done, description=words
        )
