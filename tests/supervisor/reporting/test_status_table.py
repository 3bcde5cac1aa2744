"""The status for people."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.cli.console import as_plain_text
from supervisor.coverage.ledger import PathState
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import unseen
from supervisor.reporting.status_table import MOST_CHANGES, draw
from supervisor.status import Condition, Running, Status
from supervisor.store.records import Counts, Halt, KnownDaemon, Refused, Transition
from supervisor.web.answers.status import StatusAnswer
from tests.fakes.ledgers import path
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import ENGINE, ENGINE_DOWN, full_snapshot

HOST = Part(PartKind.HOST)
LATER = NOON + timedelta(hours=1)
HERE = Condition("spark-1", "http://g", "1.0", NOON, "/the/store", "1.106.2")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal on which no line is broken."""
    monkeypatch.setenv("COLUMNS", "160")


def drawn(**changes):
    """Draw a status, an hour after noon."""
    return as_plain_text(draw(StatusAnswer.of(replace(Status(LATER, HERE), **changes))))


def test_it_says_what_and_where_it_is():
    """Gateway, versions and store."""
    text = drawn(counts=Counts({PathState.PROVEN: 2}, {"passed": 7, "failed": 1}))
    assert "http://g, LiteLLM 1.106.2" in text
    assert "spark-1 1.0, started 1h ago" in text
    assert "/the/store" in text
    assert "2 proven  100% of what can be proven is proven" in text
    assert "7 passed, 1 failed" in text


def test_no_paths_are_said_in_words():
    """Before the gateway was read."""
    assert "none yet" in drawn()


def test_what_keeps_it_from_its_job_is_shown():
    """Problems, a refused reload, a halt, and what was refused."""
    text = drawn(
        condition=replace(HERE, store_trouble="the disk is full", reload_trouble="bad file"),
        halt=Halt("a new driver", NOON, NOON + timedelta(hours=3), "spark-1"),
        refused=(Refused("engine_busy", 4, NOON, "2 requests wait"),),
    )
    assert "the disk is full" in text
    assert "reload refused" in text
    assert "since 1h ago until 2026-03-01 15:00 UTC (spark-1 only): a new driver" in text
    assert "engine_busy 4 times: 2 requests wait" in text


def test_what_goes_on_and_what_has_changed_is_shown():
    """The running drill, the last few changes, and the other daemons."""
    changes = tuple(
        Transition(path(f"g{n}"), PathState.PROVEN, PathState.FAILED, NOON, NOON, f"drill-{n}")
        for n in range(9)
    )
    text = drawn(
        condition=replace(HERE, running=Running("d1", "a/scenario", NOON)),
        changes=changes,
        daemons=(KnownDaemon("spark-2", "http://h", "1", NOON, NOON),),
    )
    assert "a/scenario" in text
    assert f"drill-{MOST_CHANGES - 1}" in text
    assert f"drill-{MOST_CHANGES}" not in text
    assert "spark-2 at http://h, seen 1h ago" in text


def test_what_is_watched_is_listed_with_its_state_and_reason():
    """A dead engine, a look that found something else, and a client that fell silent."""
    known = full_snapshot()
    doubted = replace(ENGINE_DOWN, seen=State.UP, seen_reason="it answers again")
    condition = replace(known.condition, parts={ENGINE: doubted, HOST: unseen(HOST, NOON)})
    text = as_plain_text(draw(StatusAnswer.of(replace(known, condition=condition))))
    assert "engine gemma" in text
    assert "down, for 1h: nobody listens (last look: up, it answers again)" in text
    assert "unknown: not looked at yet" in text
    assert "heartbeat backup" in text
    assert "missed, last seen 2h ago, 2 missed" in text


def test_a_stranded_swap_and_an_obsolete_patch_are_told():
    """With what to do; a patch that fits takes no line."""
    text = drawn(**{name: getattr(full_snapshot(), name) for name in ("rollouts", "patches")})
    assert "the memory has not come back: only a reboot returns it" in text
    assert "next: understudy rollout rollback" in text
    assert "/opt/parser.py" not in text  # Its container was not seen.
    text = as_plain_text(draw(StatusAnswer.of(full_snapshot())))
    assert "patch vllm" in text
    assert "/opt/parser.py: the image's own file is another one" in text
