"""Output goes where it belongs, and a reader that leaves ends only the output."""

import io
import json
import os
import re
import subprocess

import pytest
from rich.table import Table
from rich.text import Text

from chaos.errors import UsageError
from supervisor.cli.console import _Output, as_plain_text, complain, print_json, say
from tests.fakes.commandline import SCRIPT, environment, understudy
from tests.patience import PATIENCE_S


def test_results_and_progress_do_not_mix(capsys: pytest.CaptureFixture[str]):
    """JSON on stdout stays JSON, whatever is told meanwhile."""
    say("starting")
    print_json("{}")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("{}\n", "starting\n")


def test_an_error_shows_each_line_of_its_remedy(capsys: pytest.CaptureFixture[str]):
    """What to do stands below what is wrong, and brackets are no markup."""
    complain(UsageError("bad [red]thing[/red]", remedy="Do this.\nThen that."))
    assert capsys.readouterr().err == "error: bad [red]thing[/red]\n  → Do this.\n  → Then that.\n"


def test_a_file_gets_no_colours_even_from_a_terminal(monkeypatch):
    """What is written with --output can be read by anything."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert as_plain_text(Text("red", "bold red")) == "red\n"


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_reader_that_leaves_changes_nothing_else(form: str):
    """``| head`` is no error: no traceback, and the exit code is the command's own."""
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run(
            [str(SCRIPT), "faults", "--format", form],
            env=environment(),
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_sign_gets_another(encoding: str):
    """Output for people does not fail for an arrow, and is not full of question marks."""
    ended = understudy("drill", PYTHONIOENCODING=encoding)
    assert ended.returncode == 2
    assert "  -> Give --gateway" in ended.stderr


def test_signs_are_replaced_before_the_columns_are_laid_out():
    """An arrow of two letters may not break a cell that was measured with one of one."""
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row(Text("✗claude → gemma", "red"), "next")
    _Output(file=stream, highlight=False, width=60).print(table)
    stream.seek(0)
    assert stream.read() == "xclaude -> gemma  next\n"


def test_what_machines_read_gets_no_signs_that_mean_something(monkeypatch):
    """A quotation mark for “ would end a string of JSON."""
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", errors="strict")
    monkeypatch.setattr("sys.stdout", stream)
    print_json(json.dumps({"a": "“b” → c"}, ensure_ascii=False))
    stream.seek(0)
    assert json.loads(stream.read()) == {"a": "?b? ? c"}


def test_colour_is_for_terminals():
    """A pipe gets plain text."""
    assert "\x1b" not in understudy("faults").stdout


def test_progress_shows_no_key(capsys):
    """What a gateway said of itself may hold one that we could not know."""
    say("twin: LiteLLM said: bad key sk-ant-api03-0123456789abcdefghij")
    assert "0123456789abcdefghij" not in capsys.readouterr().err


def test_no_command_to_the_terminal_is_shown(capsys):
    """Names and errors come from a gateway; on a terminal too only our own colours are codes."""
    evil = "\x1b]0;owned\x07\x9b2J"
    table = Table(title=evil)
    table.add_column(evil)
    table.add_row(Text(evil, style="red"))
    for terminal in (True, False):
        stream = io.StringIO()
        console = _Output(file=stream, force_terminal=terminal, highlight=False)
        console.print(table)
        console.print(evil)
        shown = stream.getvalue()
        assert "owned" in shown
        assert not re.search(r"\x1b\]|\x07|\x9b", shown)
        assert ("\x1b[" in shown) is terminal
    print_json(json.dumps({"name": evil}, ensure_ascii=False))
    printed = capsys.readouterr().out
    assert not re.search(r"[\x1b\x07\x9b]", printed)
    assert json.loads(printed) == {"name": evil}


class Sparing(io.RawIOBase):
    """Takes only a little at each write, as a pipe may whose reader is slow."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data, /) -> int:
        piece = bytes(data)[:1000]
        self.taken += piece
        return len(piece)


def test_json_is_written_whole_where_python_buffers_nothing(monkeypatch):
    """PYTHONUNBUFFERED is set in many containers; a cut report is worse than none."""
    sparing = Sparing()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(sparing, "utf-8", write_through=True))  # type: ignore[type-var]
    print_json("ü" * 100_000)
    print_json("{}")
    assert sparing.taken.decode() == "ü" * 100_000 + "\n{}\n"


def test_a_pipe_gets_whole_lines_without_padding():
    """What a program reads is broken at no terminal's edge; COLUMNS says otherwise."""
    unset = {name: value for name, value in environment().items() if name != "COLUMNS"}
    piped = subprocess.run(
        [str(SCRIPT), "faults"], env=unset, capture_output=True, text=True, check=True
    ).stdout
    lines = piped.splitlines()
    assert all(line == line.rstrip() for line in lines)
    faults = json.loads(understudy("faults", "--format", "json").stdout)
    assert all(any(fault["summary"] in line for line in lines) for fault in faults)
    assert max(map(len, lines)) > 80
    narrow = understudy("faults", COLUMNS="60").stdout.splitlines()
    assert len(narrow) > len(lines)
    assert max(map(len, narrow)) <= 60


def test_a_file_is_as_wide_as_its_lines():
    """Whatever terminal the command runs on."""
    table = Table.grid()
    table.add_row("word " * 60, "end")
    assert as_plain_text(table) == f"{'word ' * 60}end\n"
