"""Speeds, plotted in a terminal."""

import pytest

from supervisor.baseline.compare import compare
from supervisor.reporting.engines.speed_plot import (
    HEIGHT,
    LEAST_WIDTH,
    plot_comparison,
    plot_history,
)
from tests.fakes.benchmarks import TEXTS, benchmark, run, runs

ESCAPE = "\x1b"
FAILED = benchmark(id="failed", runs=(run("prose", doubts=("no reply: it was closed",)),))


def history(*speeds):
    """Benchmarks of these speeds, oldest first."""
    return [benchmark(id=f"b{n}", runs=runs(tps)) for n, tps in enumerate(speeds)]


def plotted(taken, baseline=None, width=80, *, colour=False):
    """Plot how one engine went."""
    return plot_history("gemma", taken, baseline, width=width, colour=colour)


def scale(plot):
    """The numbers on the left, from the top to the bottom."""
    return [float(line.split("┤")[0]) for line in plot.splitlines() if "┤" in line]


def test_a_history_for_a_file_has_no_escape_codes():
    """Only text, in as many lines as the plot is high."""
    taken = history(50.0, 40.0, 45.0)
    shown = plotted(taken, taken[0])
    assert ESCAPE not in shown
    assert len(shown.splitlines()) == HEIGHT


def test_a_comparison_for_a_file_has_no_escape_codes():
    """A line for each text and side."""
    shown = plot_comparison(compare(*history(50.0, 40.0)), width=80, colour=False)
    assert ESCAPE not in shown
    assert len(shown.splitlines()) == 2 * len(TEXTS)


def test_a_terminal_gets_the_same_picture():
    """Escape codes come on top of it; no character of the picture depends on them."""
    taken = history(50.0, 40.0)
    assert ESCAPE in plotted(taken, colour=True)
    assert plotted(taken, colour=True).replace("\x1b[0m", "") == plotted(taken)


@pytest.mark.parametrize("taken", [[], [FAILED]], ids=["nothing", "only doubts"])
def test_without_figures_a_history_is_an_empty_string(taken):
    """A baseline alone is not drawn."""
    assert plotted(taken, benchmark()) == ""


def test_without_a_common_text_a_comparison_is_an_empty_string():
    """No axes are drawn around nothing."""
    assert plot_comparison(compare(benchmark(), FAILED), width=80, colour=False) == ""


def test_the_title_names_the_engine():
    """And what is drawn; a benchmark without a trusted run is no point."""
    drawn = plotted([*history(50.0, 40.0), FAILED])
    assert drawn.splitlines()[0].strip() == "gemma: tokens a second"
    assert drawn == plotted(history(50.0, 40.0))


def test_the_scale_begins_at_zero_and_ends_above_the_fastest():
    """A difference looks as big as it is, also where the baseline is faster than all."""
    for taken, baseline, most in (
        (history(40.0, 50.0), None, 50.0),
        (history(40.0, 50.0), benchmark(runs=runs(80.0)), 80.0),
    ):
        numbers = scale(plotted(taken, baseline))
        assert numbers[-1] == 0.0
        assert numbers[0] == pytest.approx(1.15 * most, abs=0.1)


def test_a_baseline_is_a_line_with_its_name():
    """Without one nothing is called a baseline."""
    taken = history(50.0, 20.0)
    assert "baseline" in plotted(taken, taken[0])
    assert "baseline" not in plotted(taken)
    assert "baseline" not in plotted(taken, FAILED)


def test_many_benchmarks_have_only_the_first_and_last_number():
    """Each of five has its own; thirty would overlap."""
    few, many = plotted(history(*[50.0] * 5)), plotted(history(*[50.0] * 30))
    assert few.splitlines()[-1].split() == ["1", "2", "3", "4", "5"]
    assert many.splitlines()[-1].split() == ["1", "30"]


def test_a_narrow_terminal_still_gets_a_plot():
    """Below the least width it is as wide as that."""
    shown = plotted(history(50.0, 40.0), width=5)
    assert max(map(len, shown.splitlines())) == LEAST_WIDTH


def test_a_comparison_names_each_text_and_both_sides():
    """And how many requests there were at once, where there were several."""
    several = runs(40.0, ["prose"], concurrency=4, total_tps=150.0)
    before, after = (benchmark(id=name, runs=(*runs(), *several)) for name in "ab")
    shown = plot_comparison(compare(before, after), width=80, colour=False)
    bars = [line.partition("▇")[0].strip() for line in shown.splitlines()]
    assert [bar for bar in bars if bar] == [
        *(f"{text} {side}" for text in TEXTS for side in "AB"),
        "prose x4 A",
        "prose x4 B",
    ]
    assert shown.splitlines()[-1].endswith("150.00")


def test_one_plot_leaves_nothing_in_the_next():
    """The same history is the same text again after others were drawn."""
    taken = history(50.0, 40.0)
    first = plotted(taken)
    plot_comparison(compare(*taken), width=60, colour=True)
    plotted(taken, taken[0])
    assert plotted(taken) == first
