"""Times as people say them."""

from datetime import timedelta

import pytest

from supervisor.age import ago
from tests.fakes.manual_clock import NOON


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (None, "never"),
        (NOON, "now"),
        (NOON - timedelta(seconds=59), "59s ago"),
        (NOON - timedelta(hours=3, minutes=12, seconds=5), "3h12m ago"),
        (NOON + timedelta(days=2, hours=1), "in 2d1h"),
    ],
)
def test_a_time_is_told_by_its_distance(at, words):
    """In two units at most."""
    assert ago(at, NOON) == words
