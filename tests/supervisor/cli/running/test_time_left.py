"""How long a campaign still takes."""

import pytest

from supervisor.cli.running.time_left import LEAST, TimeLeft, about


def test_it_is_the_mean_of_what_has_ended_times_what_is_left():
    """The time before the first drill, in which others may have run, does not count."""
    clock = [100.0]
    left = TimeLeft(lambda: clock[0])
    left.planned = 123
    clock[0] += 3600
    left.begin()
    for _ in range(LEAST):
        assert left.words == ""
        left.begin()
        clock[0] += 2
        left.ended += 1
    assert left.words == "about 4 min left"
    left.ended = 123
    assert left.words == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "about 5 s"),
        (34, "about 30 s"),
        (58, "about 1 min"),
        (540, "about 9 min"),
        (7_200, "about 2 h"),
        (8_050, "about 2 h 10 min"),
    ],
)
def test_a_length_of_time_is_said_as_people_do(seconds, words):
    """Nobody needs the seconds of an hour."""
    assert about(seconds) == words
