"""An engine's speed as a small picture."""

import pytest

from supervisor.baseline.standing import speed_of
from supervisor.web.page.speed_plot import EDGE, HEIGHT, MOST_POINTS, WIDTH, speed_plot
from tests.fakes.benchmarks import HOUR, benchmark, boot, run, runs
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import snapshot


def taken(*speeds):
    """Make benchmarks an hour apart, the newest an hour ago: a person's, then the daemon's."""
    return [
        benchmark(
            id=f"b{n:02}",
            taken_at=NOON - (len(speeds) - n) * HOUR,
            taken_by="daemon" if n else "command",
            boot=boot(100 - n),
            runs=runs(tps),
        )
        for n, tps in enumerate(speeds)
    ]


def drawn(*speeds):
    """Draw an engine that had these speeds."""
    plot = speed_plot(snapshot(speeds={"gemma": speed_of(taken(*speeds))}), "gemma")
    assert plot is not None
    return plot


def spots(plot):
    """The points as pairs of numbers."""
    return [tuple(map(float, spot.split(","))) for spot in plot.points.split()]


def height(y):
    """How far above the ground a point is."""
    return HEIGHT - EDGE - y


def test_an_engine_that_was_never_measured_has_no_picture():
    """Whether another was measured or none."""
    assert speed_plot(snapshot(), "gemma") is None
    assert speed_plot(snapshot(speeds={"other": speed_of(taken(50.0))}), "gemma") is None


@pytest.mark.parametrize(
    "one",
    [
        benchmark(runs=(run("prose", doubts=("no reply: it was closed",)),)),
        benchmark(taken_by="llama-benchy"),
    ],
    ids=["only doubts", "another tool"],
)
def test_figures_that_do_not_count_are_not_a_picture(one):
    """Runs with doubts, or a report that another tool took."""
    assert speed_plot(snapshot(speeds={"gemma": speed_of([one])}), "gemma") is None


@pytest.mark.parametrize(
    "speeds", [(50.0,), (50.0, 49.0), (1.0, 5000.0, 0.01), tuple(range(10, 100))], ids=len
)
def test_every_point_is_inside_the_box(speeds):
    """With its edge, from left to right, whatever the speeds are."""
    plot = drawn(*speeds)
    points = spots(plot)
    assert all(EDGE <= x <= WIDTH - EDGE for x, _ in points)
    assert all(EDGE <= y <= HEIGHT - EDGE for _, y in points)
    assert [x for x, _ in points] == sorted({x for x, _ in points})
    assert (plot.width, plot.height) == (WIDTH, HEIGHT)


def test_the_newest_is_the_last_point_at_the_right_edge():
    """Also where it is alone."""
    for plot in (drawn(50.0), drawn(50.0, 40.0, 45.0)):
        assert plot.last == spots(plot)[-1]
        assert plot.last[0] == WIDTH - EDGE
    assert len(spots(drawn(50.0))) == 1


def test_two_or_more_points_fill_the_width():
    """The oldest is at the left edge."""
    assert spots(drawn(50.0, 40.0))[0][0] == EDGE


def test_only_the_newest_points_are_drawn():
    """Older ones leave at the left, in the picture and in its words."""
    plot = drawn(*[10.0] * 5, *[50.0] * MOST_POINTS)
    assert len(spots(plot)) == MOST_POINTS
    assert len({y for _, y in spots(plot)}) == 1
    assert plot.aloud.startswith(f"{MOST_POINTS} benchmarks, 50.0 to 50.0")


def test_the_picture_begins_at_zero():
    """Half the speed is half as high, with room above the fastest."""
    (_, full), (_, half), (_, tenth) = spots(drawn(50.0, 25.0, 5.0))
    assert height(half) == pytest.approx(height(full) / 2, abs=0.11)
    assert height(tenth) == pytest.approx(height(full) / 10, abs=0.11)
    assert full > EDGE


def test_the_baseline_is_a_line_at_the_height_of_its_speed():
    """It is the first point's here, as a person has taken that."""
    plot = drawn(50.0, 25.0, 40.0)
    assert plot.baseline_y == spots(plot)[0][1]


def test_a_baseline_that_is_faster_than_all_that_is_drawn_is_inside_the_box():
    """Though its own point has left the picture."""
    plot = drawn(100.0, *[20.0] * MOST_POINTS)
    assert plot.baseline_y is not None
    assert EDGE <= plot.baseline_y < min(y for _, y in spots(plot))


@pytest.mark.parametrize(
    ("now", "tone", "words"),
    [
        (25.0, "bad", "25.0 tokens a second, slower than its baseline (0.50 of it), 1h ago"),
        (100.0, "good", "100.0 tokens a second, faster than its baseline (2.00 of it), 1h ago"),
        (49.0, "none", "49.0 tokens a second, as its baseline (0.98 of it), 1h ago"),
    ],
)
def test_the_tone_and_the_words_agree(now, tone, words):
    """The verdict is in the text too, with the ratio and the age."""
    plot = drawn(50.0, now)
    assert (plot.tone, plot.text) == (tone, words)


def test_the_baseline_itself_is_not_compared():
    """It has no tone and no ratio."""
    plot = drawn(50.0)
    assert (plot.tone, plot.text) == ("none", "50.0 tokens a second, its baseline, 1h ago")
    assert plot.baseline_y == plot.last[1]


def test_the_whole_picture_is_there_as_text():
    """How many, from the slowest to the fastest, and the baseline."""
    assert drawn(50.0, 25.0, 60.0).aloud == (
        "3 benchmarks, 25.0 to 60.0 tokens a second; baseline 50.0"
    )
