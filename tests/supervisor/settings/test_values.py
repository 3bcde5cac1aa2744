"""Durations, addresses and URLs as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.settings.values import duration_text, parse_duration, pattern


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("7d", 604_800), ("1.5h", 5400), (30, 30)],
)
def test_durations_are_read_as_prometheus_writes_them(text, seconds):
    """A plain number is seconds."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5", "5 m", "-1h", "1y", None, True, [], "9999999d"])
def test_what_is_not_a_duration_is_refused(text):
    """With an example of one."""
    with pytest.raises(ValueError, match="not a duration such as 90s"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**8))
def test_a_duration_is_written_as_it_is_read(seconds):
    """Whole seconds survive the way to text and back."""
    length = timedelta(seconds=seconds)
    assert parse_duration(duration_text(length)) == length


def test_small_units_may_be_left_out():
    """A person wants two at most."""
    assert duration_text(timedelta(seconds=93_784), units=2) == "1d2h"


@pytest.mark.parametrize("text", ["claude-*", "a[bc]?", "a[]b]", "a[!]]", "a]b", "*"])
def test_a_pattern_that_can_match_is_taken(text):
    """Brackets as fnmatch reads them."""
    assert pattern(text) == text


@pytest.mark.parametrize("text", ["", "  ", "a[b", "[]", "[!]", "a[b]["])
def test_a_pattern_that_matches_nothing_is_refused(text):
    """What is never closed is no choice of characters."""
    with pytest.raises(ValueError, match="matches nothing"):
        pattern(text)
