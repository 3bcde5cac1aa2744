"""The live view of a benchmark: a bar and the last speed on a terminal, nothing elsewhere."""

import io

import pytest
from rich.console import Console

from supervisor.baseline.measure import Progress
from supervisor.cli.bench_progress import LiveBenchmark
from tests.fakes.benchmarks import run


def live_on(*, terminal):
    """A live view on a terminal or a file; and what it wrote."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=140, height=40, highlight=False)
    return LiveBenchmark(console), console, file


def frame(live, console):
    """What the view shows now, without its colours."""
    plain = Console(file=io.StringIO(), width=console.width, color_system=None)
    with plain.capture() as captured:
        plain.print(live._progress.get_renderable())
    return captured.get()


def begins(done=0, text="prose", concurrency=1):
    """A run that begins."""
    return Progress(done, 12, text, concurrency)


def ended(done, made, text="prose", concurrency=1):
    """A run that has ended."""
    return Progress(done, 12, text, concurrency, made)


def test_nothing_is_drawn_into_a_log():
    """A file gets no bar, no colours and no moving cursor."""
    live, _, file = live_on(terminal=False)
    with live:
        live.take(begins())
        live.take(ended(1, run()))
    assert file.getvalue() == ""


def test_a_terminal_shows_how_many_of_how_many_and_which_text():
    """Runs that warm up count, and have no speed."""
    live, console, _ = live_on(terminal=True)
    live.take(Progress(1, 12, "prose", 1))
    shown = frame(live, console)
    assert "1/12" in shown
    assert "prose" in shown
    assert "last" not in shown


def test_the_last_speed_stays_while_the_next_run_goes_on():
    """It is shown beside the text that is measured now."""
    live, console, _ = live_on(terminal=True)
    live.take(ended(4, run("prose", 48.26)))
    live.take(begins(4, "code"))
    shown = frame(live, console)
    assert "4/12" in shown
    assert "code; last 48.3 tokens/s" in shown
    assert "prose" not in shown


def test_a_run_that_is_not_counted_shows_why_and_no_speed():
    """A doubtful speed is not shown as one."""
    live, console, _ = live_on(terminal=True)
    doubts = ("burst arrival: everything came at once", "too few tokens: 9")
    live.take(ended(2, run("prose", 9000.0, doubts=doubts)))
    shown = frame(live, console)
    assert "last not counted: burst arrival: everything came at once" in shown
    assert "9000" not in shown


def test_a_run_without_a_speed_takes_the_last_one_away():
    """The speed of another run is not shown as its own."""
    live, console, _ = live_on(terminal=True)
    live.take(ended(1, run()))
    live.take(ended(2, run(decode_tps=None)))
    assert "last" not in frame(live, console)


@pytest.mark.parametrize(("many", "words"), [(1, "prose"), (4, "prose, 4 at once")])
def test_how_many_requests_there_are_is_shown_where_there_are_several(many, words):
    """One at a time needs no word."""
    live, console, _ = live_on(terminal=True)
    live.take(begins(concurrency=many))
    assert frame(live, console).rstrip().endswith(f" {words}")


@pytest.mark.parametrize("error", [None, RuntimeError("the engine is gone")])
def test_the_view_is_gone_when_it_ends(error):
    """The cursor is back, also after an error, which is not swallowed."""
    live, _, file = live_on(terminal=True)
    caught = None
    try:
        with live:
            live.take(begins())
            if error is not None:
                raise error
    except RuntimeError as raised:
        caught = raised
    assert caught is error
    assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l")
