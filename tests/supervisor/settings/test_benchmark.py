"""How the daemon keeps an eye on the speed of engines."""

from datetime import timedelta

import pytest

from chaos.errors import UsageError
from supervisor.settings.file import parse_settings


def test_once_a_day_after_ten_quiet_minutes_by_default():
    """Three runs of 512 tokens."""
    found = parse_settings("", name="x").benchmarks
    assert (found.enabled, found.every, found.idle_for) == (
        True,
        timedelta(days=1),
        timedelta(minutes=10),
    )
    assert (found.runs, found.max_tokens) == (3, 512)


@pytest.mark.parametrize("text", ["every: 0s", "idle_for: 0s", "runs: 0", "max_tokens: 127"])
def test_what_would_measure_nothing_or_always_is_refused(text):
    """By its path."""
    with pytest.raises(UsageError, match="benchmarks"):
        parse_settings(f"benchmarks: {{{text}}}", name="x")
