"""An upgrade's changes for people and for a job's page."""

import pytest

from chaos.judge.check import Kind
from supervisor.campaign.upgrade import Change, Upgrade
from supervisor.cli.console import as_plain_text
from supervisor.reporting.upgrade_table import draw, upgrade_markdown
from tests.fakes.rows import finding, row

NEVER = row(kind=Kind.NEVER_TRIED, findings=(finding(Kind.NEVER_TRIED, "never asked"),))
BROKEN = row("gpt", kind=Kind.HOP_FAILED, findings=(finding(Kind.HOP_FAILED, "it | said 400"),))
UPGRADE = Upgrade("1.103.0", "1.108.6", 84, (Change(row("gpt"), BROKEN), Change(NEVER, row())))


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which no line is broken."""
    monkeypatch.setenv("COLUMNS", "200")


def test_changes_are_drawn_with_why_and_the_sentence_of_it():
    """Worse first."""
    text = as_plain_text(draw(UPGRADE))
    lines = [line.split() for line in text.splitlines()]
    assert [line[0] for line in lines if line][1:3] == ["worse", "better"]
    assert "chat_completions, whole, billing: fails now: hop_failed" in text
    assert "it | said 400" in text
    assert "now falls back" in text
    assert "2 of 84 drills come out otherwise on LiteLLM 1.108.6 than on 1.103.0" in text


def test_no_change_is_one_sentence():
    """There is no empty table."""
    text = as_plain_text(draw(Upgrade("1", "2", 84, ())))
    assert text.strip() == "None of 84 drills comes out otherwise on LiteLLM 2 than on 1."


def test_what_varies_is_missing_or_was_stopped_is_told():
    """It is no part of the comparison."""
    upgrade = Upgrade("1", "2", 9, (), unsteady=("a", "b", "c", "d"), gone=("x",), stopped=True)
    for text in (as_plain_text(draw(upgrade)), upgrade_markdown(upgrade)):
        assert "4 came out otherwise once, and then not" in text
        assert "a, b, c and 1 more" in text
        assert "1 only one of the two has (x)" in text
        assert "It was stopped" in text


def test_a_job_s_page_has_a_table_that_nothing_breaks():
    """What a gateway said is escaped."""
    page = upgrade_markdown(UPGRADE)
    assert page.startswith("### Understudy: LiteLLM 1.103.0 to 1.108.6\n")
    assert "it \\| said 400" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) == 4
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}
