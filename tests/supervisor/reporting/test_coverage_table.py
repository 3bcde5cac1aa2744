"""The coverage for people."""

from dataclasses import replace
from datetime import timedelta

from chaos.judge.verdict import Outcome
from supervisor.cli.console import as_plain_text
from supervisor.coverage.ledger import FaultVerdict, PathState
from supervisor.reporting.coverage_table import FOLD_OVER, STYLES, draw, explain
from supervisor.status import Condition, PathStatus, Status
from supervisor.store.records import Counts
from supervisor.web.answers.paths import CoverageAnswer
from tests.fakes.ledgers import new_path, path
from tests.fakes.manual_clock import NOON

PASS = FaultVerdict("billing", NOON, Outcome.PASSED, NOON, "d1")
FAIL = FaultVerdict("hang", NOON, Outcome.FAILED, NOON, "d2", "too_late")


def status_of(which, state, *verdicts, **changes):
    """Say how a path stands, with four faults that take turns."""
    record = replace(new_path(which), state=state, passed_at=NOON, **changes)
    return PathStatus(record, verdicts)


def coverage(paths, next_path=None):
    """Make the answer of the API, an hour after noon."""
    counts = dict.fromkeys(PathState, 0)
    for one in paths.values():
        counts[one.record.state] += 1
    status = Status(
        NOON + timedelta(hours=1),
        Condition("spark-1", "http://g", "1", NOON, "the store"),
        paths,
        Counts({state: n for state, n in counts.items() if n}),
        next_path=next_path,
        next_reason="because",
    )
    return CoverageAnswer.of(status, paths)


def drawn(*arguments, **options):
    """Draw as a terminal would."""
    return as_plain_text(draw(coverage(*arguments, **options)))


def test_every_state_has_its_colour():
    """One that is added is seen here."""
    assert set(STYLES) == set(PathState)


def test_the_worst_comes_first_with_its_kind(monkeypatch):
    """And what is proven last, with how old that is and how many faults were tried."""
    monkeypatch.setenv("COLUMNS", "140")
    good, bad = path("claude"), path("gpt", stream=True)
    lines = drawn(
        {
            good: status_of(good, PathState.PROVEN, PASS),
            bad: status_of(bad, PathState.FAILED, FAIL, PASS, critical=True),
        }
    ).splitlines()
    assert lines[1].split() == [
        *("gpt*", "→", "gemma", "chat", "streamed", "failed"),
        *("1h", "ago", "1h", "ago", "2/4", "too_late"),
    ]
    assert lines[2].split()[:5] == ["claude", "→", "gemma", "chat", "proven"]
    assert "1 failed  1 proven  50% of what can be proven is proven" in lines[-2]


def test_many_proven_paths_are_folded_and_no_other_is(monkeypatch):
    """What is wrong is never hidden among what is right."""
    monkeypatch.setenv("COLUMNS", "140")
    shapes = [f"shape-{n}" for n in range(FOLD_OVER + 1)]
    paths = {path(shape=shape): status_of(path(shape=shape), PathState.PROVEN) for shape in shapes}
    bad = path(shape="agent")
    paths[bad] = status_of(bad, PathState.FAILED, FAIL)
    lines = drawn(paths).splitlines()
    assert "agent" in lines[1]
    assert f"{FOLD_OVER + 1} kinds of request" in lines[2]


def test_no_paths_are_said_in_words():
    """Not an empty table."""
    assert drawn({}) == "No path of http://g is rehearsed yet.\n"


def test_the_next_path_is_explained():
    """With what its state means."""
    one = path("claude")
    answer = coverage({one: status_of(one, PathState.LATE)}, next_path=one)
    text = as_plain_text(explain(answer))
    assert "claude/general/gemma/chat_completions/chat/whole, because" in text
    assert "late: The last pass is older than the target." in text
