"""Runs, benchmarks and looks at counters, made up."""

from datetime import UTC, datetime, timedelta

import pytest

from supervisor.baseline.record import Benchmark, Boot, Conditions, Method, Run
from supervisor.baseline.text import TEXTS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(speed: float, text: str = "prose", **changes) -> Run:
    """One run that may be trusted."""
    values = {"tokens": 300, "decode_tps": speed, "ttft_s": 0.05, "itl_s": 1 / speed}
    return Run(text=text, **{**values, **changes})


def taken(
    *speeds: float,
    at: int = 0,
    boot: int | None = 0,
    by: str = "command",
    version: str = "1",
    text: str = "prose",
    **changes,
) -> Benchmark:
    """A benchmark of one text, with a run for each speed, *at* hours after noon."""
    values = {
        "id": f"b{at}-{version}-{by}",
        "engine": "gemma",
        "taken_at": NOON + timedelta(hours=at),
        "taken_by": by,
        "boot": None
        if boot is None
        else Boot(started_at=NOON + timedelta(hours=boot), told_by="process"),
        "conditions": Conditions(model="/m", version=version),
        "method": Method(),
        "runs": tuple(run(speed, text) for speed in speeds),
    }
    return Benchmark(**{**values, **changes})


def whole(*speeds: float, **changes) -> Benchmark:
    """A benchmark of every text, which may be a baseline."""
    runs = tuple(run(speed, text) for text in TEXTS for speed in speeds)
    return taken(**{"runs": runs, **changes})


@pytest.fixture
def noon() -> datetime:
    """When the first benchmark was taken."""
    return NOON
