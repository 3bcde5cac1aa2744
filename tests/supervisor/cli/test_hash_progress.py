"""How far hashing is: a bar on a terminal, nothing elsewhere."""

import io

import pytest
from rich.console import Console

from supervisor.cli.hash_progress import LiveHashes

SHARD = "model-00001-of-00003.safetensors"


def live_on(*, terminal):
    """A live view on a terminal or a file; and what it wrote."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=140, height=40, highlight=False)
    return LiveHashes(console), console, file


def frame(live, console):
    """What the view shows now, without its colours."""
    plain = Console(file=io.StringIO(), width=console.width, color_system=None)
    with plain.capture() as captured:
        plain.print(live._progress.get_renderable())
    return captured.get()


def test_nothing_is_drawn_into_a_log():
    """A file gets no bar, no colours and no moving cursor."""
    live, _, file = live_on(terminal=False)
    with live:
        live.take(SHARD, 1 << 20, 4 << 20)
    assert file.getvalue() == ""


def test_a_terminal_shows_which_file_and_how_much_of_all():
    """In the units of a disk's contents."""
    live, console, file = live_on(terminal=True)
    with live:
        live.take(SHARD, 1 << 30, 4 << 30)
        live._progress.refresh()
    assert SHARD in file.getvalue()
    shown = frame(live, console)
    assert "hashing" in shown
    assert "1.0/4.0 GiB" in shown


def test_there_is_no_bar_before_the_first_file():
    """A model whose files are not named by their hash has none."""
    live, console, _ = live_on(terminal=True)
    with live:
        assert "hashing" not in frame(live, console)


def test_a_name_is_no_markup():
    """It is shown as it is."""
    live, console, _ = live_on(terminal=True)
    live.take("model[bold].safetensors", 1, 2)
    assert "model[bold].safetensors" in frame(live, console)


@pytest.mark.parametrize("terminal", [True, False])
def test_news_may_come_before_it_begins_and_after_its_end(terminal):
    """The thread that hashes does not know of the view; the last word is kept."""
    live, _, _ = live_on(terminal=terminal)
    live.take("before", 1, 2)
    with live:
        live.take("while", 1, 2)
    live.take("after", 2, 2)
    (task,) = live._progress.tasks
    assert (task.description, task.completed, task.total) == ("after", 2, 2)


@pytest.mark.parametrize("error", [None, RuntimeError("the disk is gone")])
def test_the_view_is_gone_when_it_ends(error):
    """The cursor is back, also after an error, which is not swallowed."""
    live, _, file = live_on(terminal=True)
    caught = None
    try:
        with live:
            live.take(SHARD, 1, 2)
            if error is not None:
                raise error
    except RuntimeError as raised:
        caught = raised
    assert caught is error
    assert file.getvalue().rindex("\x1b[?25h") > file.getvalue().rindex("\x1b[?25l")
