"""The file of ``--output`` while drills run: a kill in hour two loses one drill, not two hours.

Invariant: whenever the file is looked at it holds a whole report; ``not_started`` counts what it
lacks.
"""

import time
from collections.abc import Callable
from pathlib import Path

from chaos.drill.report import DrillReport
from supervisor.cli.running.whole_file import is_replaceable, write_whole

PAUSE_S = 1.0
"""Between two states of the file."""

SHARE = 20
"""A state that takes long to write is followed by so many times as long a pause: drills run in
the same process, and their seconds are measured."""


class GrowingReport:
    """Writes what a report holds so far, at most once a second.

    Args:
        output: The file; None, a device or a FIFO for nothing, as its reader would take the first
            state for the report.
        written: Turns a report into the text of the file.
    """

    def __init__(
        self,
        output: Path | None,
        written: Callable[[DrillReport], str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output = output if output is not None and is_replaceable(output) else None
        self._written = written
        self._now = now
        self._due_s = 0.0

    def grew(self, report: Callable[[], DrillReport]) -> None:
        """Write the report that *report* makes, if it is time to."""
        began_s = self._now()
        if self._output is None or began_s < self._due_s:
            return
        try:
            write_whole(self._output, self._written(report()))
        except OSError:
            # The last state is written in any case, and complains; drills go on.
            self._output = None
            return
        ended_s = self._now()
        self._due_s = ended_s + max(PAUSE_S, SHARE * (ended_s - began_s))
