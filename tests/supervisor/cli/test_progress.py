"""The live view: all that runs and what came last on a terminal, nothing elsewhere."""

import io

from rich.console import Console

from supervisor.cli.progress import SHOWN, LiveDrills
from tests.fakes.drilling import scenario
from tests.fakes.rows import failed, row


def live_on(*, terminal):
    """A live view on a terminal or a file; and what it wrote."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, height=40, highlight=False)
    return LiveDrills(console), console, file


def frame(live, console):
    """What the view shows now."""
    with console.capture() as captured:
        console.print(live._draw())
    return captured.get()


def test_nothing_is_drawn_into_a_log():
    """A file gets no bars, no colours and no moving cursor."""
    live, _, file = live_on(terminal=False)
    with live:
        live.planned(2)
        live.started(scenario())
        live.ended(row())
    assert file.getvalue() == ""


def test_a_terminal_shows_counts_and_the_last_drills():
    """What is done, of how many, with which verdicts."""
    live, console, _ = live_on(terminal=True)
    live.planned(20)
    for number in range(SHOWN):
        live.ended(row(f"group-{number}"))
    live.ended(failed("last"))
    shown = frame(live, console)
    assert "9/20" in shown
    assert "8 passed, 1 failed" in shown
    assert "✗last" in shown
    assert "group-0 " not in shown


def test_what_runs_is_named_until_it_ends():
    """A drill that hangs can be seen to hang."""
    live, console, _ = live_on(terminal=True)
    live.planned(1)
    running = scenario()
    live.started(running)
    assert running.key in frame(live, console)
    live.ended(
        row("x").model_copy(
            update={"scenario": row("x").scenario.model_copy(update={"key": running.key})}
        )
    )
    assert f"… {running.key}" not in frame(live, console)


def test_the_view_is_gone_when_it_ends():
    """The report that follows is not mixed with what was moving."""
    live, _, file = live_on(terminal=True)
    with live:
        live.planned(1)
        live.ended(row())
    assert "\x1b[?25h" in file.getvalue()  # the cursor is back
