"""Show how far the hashing of a model's files is; silent where there is no terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn


class LiveHashes:
    """A bar that appears with the first file."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("hashing"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=None, visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def take(self, name: str, done: int, total: int) -> None:
        """Show how far it is; called from the thread that hashes."""
        self._progress.update(
            self._task, description=name, completed=done, total=total, visible=True
        )
