"""Windows and blackouts hold in their own time zone, over midnight and over clock changes."""

from datetime import UTC, datetime, timedelta

import pytest

from supervisor.settings.windows import Weekly, closed, inside, parse_window


def at(text):
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_without_windows_drills_may_always_run():
    """Nothing needs to be written."""
    assert closed((), (), "UTC", at("2026-11-24 03:00")) is None


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-23 06:59", False),  # Monday
        ("2026-11-23 07:00", True),
        ("2026-11-27 19:59", True),  # Friday
        ("2026-11-27 20:00", False),
        ("2026-11-28 12:00", False),  # Saturday
    ],
)
def test_a_window_begins_at_its_first_minute_and_ends_before_its_last(now, is_open):
    """On each day it names."""
    why = closed(("Mon-Fri 07:00-20:00",), (), "UTC", at(now))
    assert (why is None) is is_open
    assert is_open or why == "outside every window: Mon-Fri 07:00-20:00 (UTC)"


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-28 21:59", False),
        ("2026-11-28 22:00", True),  # Saturday night
        ("2026-11-29 05:59", True),  # is Sunday morning
        ("2026-11-29 06:00", False),
        ("2026-11-29 23:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(now, is_open):
    """Saturday's ends on Sunday."""
    assert (closed(("Sat 22:00-06:00",), (), "UTC", at(now)) is None) is is_open


def test_a_blackout_wins_over_a_window():
    """A holiday is one, whatever the week says."""
    holiday = "2026-12-24 00:00/2026-12-27 00:00"
    assert closed(("00:00-24:00",), (holiday,), "UTC", at("2026-12-24 00:00")) == (
        f"blackout {holiday} (UTC)"
    )
    assert closed(("00:00-24:00",), (holiday,), "UTC", at("2026-12-27 00:00")) is None


def test_windows_are_times_on_the_wall_of_their_zone():
    """In Berlin seven o'clock is at six in winter and at five in summer, in UTC."""
    window = ("07:00-08:00",)
    assert closed(window, (), "Europe/Berlin", at("2026-12-01 06:30")) is None
    assert closed(window, (), "Europe/Berlin", at("2026-07-01 06:30")) is not None
    assert closed(window, (), "Europe/Berlin", at("2026-07-01 05:30")) is None


def test_days_may_be_listed_and_may_go_over_the_end_of_the_week():
    """Fri-Mon are four days."""
    window = parse_window("Fri-Mon,Wed 00:00-24:00")
    assert isinstance(window, Weekly)
    assert window.days == {4, 5, 6, 0, 2}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "07:00",
        "Mo 07:00-08:00",
        "7:00-8:00",
        "25:00-26:00",
        "2026-12-24/x",
        "2026-12-24 00:00/2026-12-23 00:00",
        "2026-12-24T00:00Z/2026-12-25T00:00Z",
    ],
)
def test_what_is_no_window_is_refused_with_examples(text):
    """The message shows all three forms."""
    with pytest.raises(ValueError, match="not a window such as 'Mon-Fri 07:00-20:00'"):
        parse_window(text)


def test_the_hour_that_the_clock_repeats_is_in_its_window_twice():
    """In Berlin on 2026-10-25 half past two comes at 00:30 and at 01:30 UTC."""
    window = ("02:15-02:45",)
    for now in ("2026-10-25 00:30", "2026-10-25 01:30"):
        assert closed(window, (), "Europe/Berlin", at(now)) is None
    assert closed(window, (), "Europe/Berlin", at("2026-10-25 02:30")) is not None


def test_the_hour_that_the_clock_leaves_out_never_comes():
    """In Berlin on 2026-03-29 no minute of that day is half past two."""
    window = ("02:15-02:45",)
    minutes = (at("2026-03-28 23:00") + timedelta(minutes=n) for n in range(23 * 60))
    assert all(closed(window, (), "Europe/Berlin", now) for now in minutes)


def test_a_window_without_length_is_refused():
    """It would be open for nobody, or for ever: nobody can tell which was meant."""
    with pytest.raises(ValueError, match="not a window such as"):
        parse_window("07:00-07:00")


def test_the_first_window_that_holds_is_named():
    """So that a message can say which."""
    windows = ("01:00-02:00", "03:00-05:00", "04:00-06:00")
    assert inside(windows, "UTC", at("2026-11-24 04:30")) == "03:00-05:00"
    assert inside(windows, "UTC", at("2026-11-24 02:30")) is None
