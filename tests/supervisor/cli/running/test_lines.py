"""Lines of progress in a log."""

import asyncio

from supervisor.cli.running import lines
from supervisor.cli.running.lines import EVERY_S, FAILURES_EVERY_S, ProgressLines
from supervisor.cli.running.time_left import TimeLeft
from tests.fakes.rows import failed, row
from tests.patience import PATIENCE_S


class Campaign:
    """Drills one after the other, two seconds each."""

    def __init__(self, planned):
        self.at_s = 0.0
        self.said: list[str] = []
        self.left = TimeLeft(lambda: self.at_s)
        self.left.planned = planned
        self.lines = ProgressLines(self.said.append, self.left, lambda: self.at_s)

    def drill(self, drilled):
        """Let one end."""
        self.left.begin()
        self.at_s += 2
        self.left.ended += 1
        self.lines.ended(drilled)


def test_a_line_comes_every_half_minute():
    """With what is done, and how long it takes."""
    campaign = Campaign(135)
    for _ in range(31):
        campaign.drill(row())
    assert campaign.said == [
        "15 of 135 drills, about 4 min left",
        "30 of 135 drills, about 4 min left",
    ]
    assert EVERY_S == 30


def test_a_failure_is_said_at_once_but_not_each():
    """A gateway that lacks every fallback fills no log."""
    campaign = Campaign(100)
    for _ in range(7):
        campaign.drill(failed())
    key = failed().scenario.key
    assert campaign.said == [
        f"1 of 100 drills, 1 failed: {key} hop_failed",
        f"6 of 100 drills, 6 failed, about 3 min left: {key} hop_failed",
    ]
    assert FAILURES_EVERY_S == 10


def test_a_known_gap_is_no_failure():
    """It is not in the exit code either."""
    campaign = Campaign(100)
    campaign.drill(failed(known_gap="an issue"))
    assert campaign.said == []


async def test_a_drill_that_hangs_does_not_silence_it(monkeypatch):
    """The line comes by the clock, until it is stopped."""
    monkeypatch.setattr(lines, "EVERY_S", 0.01)
    came, left = asyncio.Event(), TimeLeft()
    left.planned = 3
    said = []

    def say(line):
        said.append(line)
        if len(said) == 2:
            came.set()

    progress = ProgressLines(say, left)
    progress.start()
    async with asyncio.timeout(PATIENCE_S):
        await came.wait()
    progress.stop()
    assert set(said) == {"0 of 3 drills"}
