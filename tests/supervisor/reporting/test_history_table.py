"""Drills that have ended, for people."""

import pytest

from chaos.judge.check import Kind
from supervisor.cli.console import as_plain_text
from supervisor.reporting.history_table import draw
from supervisor.store.records import StoredDrill
from supervisor.web.answers.drills import DrillAnswer
from tests.fakes.ledgers import path
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import row


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which no line is broken."""
    monkeypatch.setenv("COLUMNS", "160")


def answer(name, **changes):
    """Make one drill as the API shows it."""
    made = row(**changes).model_copy(update={"id": name})
    return DrillAnswer.of(StoredDrill(made, path("claude"), "spark-1", "http://g", NOON))


def test_each_drill_is_a_line():
    """With its id, verdict and kind."""
    drills = [answer("d2", kind=Kind.HOP_FAILED), answer("d1")]
    lines = as_plain_text(draw(drills, NOON)).splitlines()
    assert lines[1].split()[0] == "d2"
    assert "hop_failed" in lines[1]
    assert lines[2].split()[0] == "d1"
    assert "passed" in lines[2]


def test_the_id_is_whole_on_a_narrow_terminal(monkeypatch):
    """It is what is copied."""
    monkeypatch.setenv("COLUMNS", "60")
    name = "01KB4M7W9ZJ3QG8XV2T5R6YHDN"
    text = as_plain_text(draw([answer(name, kind=Kind.HOP_FAILED)], NOON))
    assert any(line.startswith(f"{name}  ") for line in text.splitlines())


def test_none_is_said_in_words():
    """Not an empty table."""
    assert as_plain_text(draw([], NOON)) == "No drill fits.\n"
