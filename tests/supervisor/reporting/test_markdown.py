"""A summary that a job's page or a pull request can show."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.reporting.markdown import MOST_CAUSES, drill_markdown, escaped
from tests.fakes.rows import failed, finding, report, row

PASSED = row()
UNSURE = row(
    kind=Kind.ENGINE_BUSY, findings=(finding(Kind.ENGINE_BUSY, "4 requests of users wait"),)
)


@dataclass(frozen=True)
class Read:
    """What a reader of Markdown sees."""

    heading: str
    rows: list[list[str]]
    links: int


def read(text: str) -> Read:
    """Read it back."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    heading, links = "", 0
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            heading = token.content
        if token.type == "tr_open":
            rows.append([])
        if before.type in {"th_open", "td_open"}:
            plain = [child.content for child in token.children or () if child.type == "text"]
            rows[-1].append("".join(plain))
        links += sum(child.type in {"link_open", "image"} for child in token.children or ())
        assert not token.type.startswith("html")
    return Read(heading, rows, links)


def test_what_passed_needs_no_table():
    """One sentence, and the numbers behind it."""
    seen = read(drill_markdown(report(PASSED, PASSED)))
    assert seen.heading == "Understudy: every fallback drill passed"
    assert seen.rows == []


def test_what_was_never_started_is_said_and_is_no_pass():
    """A run that was stopped after its first drill has proven one."""
    text = drill_markdown(report(PASSED, planned=3, seed=42))
    assert read(text).heading == "Understudy: the drills were broken off"
    assert "0 aborted, 2 never started; LiteLLM 1.106.2, 2 s, seed 42." in text
    assert "never started" not in drill_markdown(report(PASSED))


def test_a_cause_is_one_row_however_many_drills_share_it():
    """With what was seen and what to do; failures come before what proved nothing."""
    alike = [failed(message="gemma said no"), failed(message="gemma said no")]
    seen = read(drill_markdown(report(PASSED, UNSURE, *alike)))
    assert seen.heading == "Understudy: 2 of 4 fallback drills failed"
    header, first, second = seen.rows
    assert header[:2] == ["verdict", "path"]
    assert first[0] == "failed, hop_failed"
    assert first[4:] == ["2", "gemma said no", "Mend it."]
    assert second[0] == "inconclusive, engine_busy"


def test_a_cause_of_several_paths_is_one_row():
    """Five groups that fall back to one broken engine have one problem."""
    alike = [failed(f"group-{n}", fault="hang") for n in range(5)]
    _, only = read(drill_markdown(report(*alike))).rows
    assert only[1] == "✗group-0 → gemma, ✗group-1 → gemma, ✗group-2 → gemma and 2 more"
    assert only[2:5] == ["hang", "chat", "5"]


def test_a_substituted_fault_is_explained_below_the_table():
    """The row names it, one line says why."""
    drill = failed(fault="overloaded")
    scenario = drill.scenario.model_copy(update={"faults": {"claude": "server_error"}})
    text = drill_markdown(report(drill.model_copy(update={"scenario": scenario})))
    assert read(text).rows[1][2] == "overloaded (claude: server_error instead)"
    assert text.count("dialect has no such fault") == 1
    assert "instead" not in drill_markdown(report(drill))


def test_nothing_that_was_said_becomes_markup():
    """A provider's error could otherwise draw a picture into somebody's pull request."""
    evil = "a | b\n## c ![x](https://evil.example/x.png) <img src=x> @everyone `d` [e](f)"
    seen = read(drill_markdown(report(failed(message=evil))))
    assert seen.links == 0
    assert len(seen.rows) == 2
    assert seen.rows[1][5] == " ".join(evil.split())


@pytest.mark.parametrize(
    ("rows", "heading"),
    [
        ([], "not everything could be proven"),
        ([PASSED, UNSURE], "not everything could be proven"),
        ([failed(known_gap="an issue of LiteLLM")], "not everything could be proven"),
        ([PASSED, row(outcome=Outcome.ABORTED)], "the drills were broken off"),
        (
            [PASSED, failed(known_gap="an issue of LiteLLM")],
            "no fallback drill failed, but for known gaps of this LiteLLM",
        ),
    ],
)
def test_the_heading_promises_no_more_than_was_proven(rows, heading):
    """A run without a pass has not passed."""
    assert read(drill_markdown(report(*rows))).heading == f"Understudy: {heading}"


def test_many_causes_are_cut_and_counted():
    """A job's page has an end."""
    many = [failed(message=f"cause {'abcdefgh'[n % 8]}{n}") for n in range(MOST_CAUSES + 3)]
    text = drill_markdown(report(*many))
    assert len(read(text).rows) == MOST_CAUSES + 1
    assert "3 more causes are in the report." in text


def test_text_stays_on_one_line():
    """A table has no other."""
    assert escaped("a\n\tb|c") == "a b\\|c"


def test_the_model_that_stands_for_a_wildcard_is_said():
    """Its star is no markup."""
    text = drill_markdown(report(row("openai/gpt"), wildcards={"openai/*": "openai/gpt"}))
    assert r"openai/gpt stands for the wildcard openai/\*." in text


def test_the_key_as_which_a_gateway_was_drilled_is_named():
    """Escaped like anything that others wrote."""
    drilled = report(row())
    gateway = drilled.gateway.model_copy(update={"as_key": "team_a"})
    text = drill_markdown(drilled.model_copy(update={"gateway": gateway}))
    assert ", as the key team\\_a" in text
    assert "as the key" not in drill_markdown(drilled)
