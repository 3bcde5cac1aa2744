"""A report's file grows as drills end."""

import os
from functools import partial
from pathlib import Path

import pytest

from chaos.drill.report import DrillReport
from supervisor.cli.commands.drill import written
from supervisor.cli.running.growing_report import PAUSE_S, SHARE, GrowingReport
from tests.fakes.rows import report, row


class Now:
    """A clock that goes on by itself, by so much at each look."""

    def __init__(self, step_s=0.0):
        self.at_s, self.step_s = 100.0, step_s

    def __call__(self):
        self.at_s += self.step_s
        return self.at_s


def as_json(made):
    """The text of a file."""
    return written(made, "json")


def noting(made, value):
    """Make a report, and note that it was made."""
    made.append(value)
    return report()


def never():
    """A report that nobody may ask for."""
    pytest.fail("a state was made")


def test_each_state_is_a_valid_report_that_says_what_it_lacks(tmp_path: Path):
    """What was drilled before a kill is not lost."""
    file, now = tmp_path / "report.json", Now()
    growing = GrowingReport(file, as_json, now)
    for ended in (1, 2, 3):
        growing.grew(partial(report, *[row()] * ended, planned=4))
        state = DrillReport.model_validate_json(file.read_text())
        assert (len(state.drills), state.summary.not_started) == (ended, 4 - ended)
        now.at_s += PAUSE_S


def test_it_is_written_once_a_second_at_most(tmp_path: Path):
    """Drills of a tenth of a second do not wait for a file."""
    made: list[float] = []
    now = Now()
    growing = GrowingReport(tmp_path / "x", str, now)
    for _ in range(100):
        growing.grew(lambda: noting(made, now()))
        now.at_s += PAUSE_S / 10
    assert len(made) == 10


def test_a_state_that_takes_long_is_written_less_often(tmp_path: Path):
    """Thousands of rows cost a twentieth of the time at most."""
    made: list[float] = []
    now = Now(step_s=1.0)
    growing = GrowingReport(tmp_path / "x", str, now)
    growing.grew(lambda: noting(made, 1))
    now.at_s += SHARE - 2
    growing.grew(lambda: noting(made, 2))
    now.at_s += 2
    growing.grew(lambda: noting(made, 3))
    assert made == [1, 3]


def test_a_reader_at_a_fifo_gets_one_report(tmp_path: Path):
    """Nothing is written before the end, and nobody waits for the reader."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for output in (None, fifo, Path("/dev/null")):
        GrowingReport(output, as_json).grew(never)


def test_a_full_disk_stops_no_drill(tmp_path: Path):
    """The last state complains; the campaign goes on."""
    gone = tmp_path / "gone"
    gone.mkdir()
    growing = GrowingReport(gone / "x", str, Now(step_s=100.0))
    gone.rmdir()
    growing.grew(report)
    growing.grew(never)
