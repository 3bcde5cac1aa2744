"""A fallback that does not hold is told with all that a person needs at three in the morning."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from supervisor.alerts.rules.fallbacks import BROKEN, NEVER_PROVEN, STALE
from supervisor.audit.report import FindingRow
from supervisor.coverage.ledger import FaultVerdict, PathState
from supervisor.probes.kinds.gateway import PART
from supervisor.probes.probe import State
from supervisor.probes.standing import Standing
from supervisor.status import PathStatus
from supervisor.store.records import Halt, Refused, StandingFailure
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import finding, row
from tests.fakes.snapshots import condition, fallback_path, ledger_path, snapshot

HOUR = timedelta(hours=1)
SAID = (
    'gemma was contacted and itself failed: status 400, “"auto" tool choice requires '
    "--enable-auto-tool-choice and --tool-call-parser to be set”."
)
FLAGS = "Start vLLM with --enable-auto-tool-choice --tool-call-parser NAME."


def failure(shape="tool_call", fails=1, at=NOON, drill="d7", *, told=False, **changes):
    """A failure of claude's fallback, as the store lists it."""
    verdict = FaultVerdict(
        "billing", at, Outcome.FAILED, at, drill, Kind.HOP_FAILED.value, fails=fails
    )
    found = (finding(Kind.HOP_FAILED, SAID, remedy=FLAGS),)
    drilled = row(kind=Kind.HOP_FAILED, findings=found, id=drill) if told else None
    return StandingFailure(fallback_path(shape=shape, **changes), verdict, drilled)


def broken(*failures, **changes):
    """What is found of these failures, in a gateway of four paths."""
    paths = [fallback_path(shape=shape) for shape in ("chat", "tool_call", "agent")]
    known = {path: PathStatus(ledger_path(path, PathState.PROVEN)) for path in paths}
    return list(BROKEN.find(snapshot(paths=known, failures=failures, **changes)))


def test_a_single_drill_wakes_nobody():
    """One failure is drilled once more before it is told."""
    assert broken(failure()) == []
    assert broken(failure(at=NOON - HOUR + timedelta(seconds=1))) == []


def test_a_single_failure_that_is_never_confirmed_is_told_after_an_hour():
    """Drills that prove nothing, one after the other, must not hide it."""
    assert len(broken(failure(at=NOON - HOUR))) == 1


@pytest.mark.parametrize(
    "failures",
    [(failure(fails=2),), (failure(), failure("agent"))],
    ids=["the same drill twice", "two paths"],
)
def test_two_failed_drills_of_a_hop_are_told(failures):
    """Whether the same one failed twice, or two different ones once each."""
    (found,) = broken(*failures)
    assert found.labels == {"group": "claude", "hop": "gemma"}


def test_the_alert_holds_what_a_person_needs():
    """Which hop, since when, what the engine said, the flag that fixes it, and the drill."""
    (found,) = broken(failure(fails=2, told=True), failure("agent", at=NOON - HOUR, drill="d1"))
    assert found.since == NOON - HOUR
    assert found.summary == "'gemma' does not hold as the fallback of 'claude': hop_failed"
    assert "2 of 3 paths have failed, the last one with billing on tool_call." in found.description
    assert SAID in found.description
    assert FLAGS in found.description
    assert "understudy show d7" in found.description
    assert found.more == {
        "kind": "hop_failed",
        "drill": "d7",
        "path": "claude/general/gemma/chat_completions/tool_call/whole",
        "remedy": FLAGS,
    }


def test_what_the_audit_says_of_the_hop_is_added():
    """It may know the parser by name where the drill does not."""
    said = FindingRow(
        code="engine_tool_calls_disabled",
        severity="error",
        subject="gemma",
        message="gemma reads no tool calls.",
        remedy="Start vLLM with: --tool-call-parser gemma4",
    )
    (found,) = broken(failure(fails=2), findings=(said, replace_subject(said, "other")))
    assert "--tool-call-parser gemma4" in found.description
    assert "other" not in found.description


def replace_subject(said, subject):
    """The same finding about something else."""
    return said.model_copy(update={"subject": subject, "message": f"{subject} is odd."})


def test_each_group_and_hop_is_told_for_itself():
    """The kind is no label: another kind of failure is the same alert."""
    found = broken(failure(fails=2), failure(fails=2, group="gpt"), failure(fails=2, hop="qwen"))
    assert [one.labels for one in found] == [
        {"group": "claude", "hop": "gemma"},
        {"group": "gpt", "hop": "gemma"},
        {"group": "claude", "hop": "qwen"},
    ]


def test_a_group_that_fails_badly_when_everything_fails_is_told_so():
    """Its hop is none."""
    (found,) = broken(failure(fails=2, hop="none"))
    assert "does not fail cleanly when every hop fails" in found.summary


def test_a_drill_that_is_kept_no_more_leaves_the_alert():
    """What it said is gone; that it failed is not."""
    (found,) = broken(failure(fails=2))
    assert "understudy show d7" in found.description


@pytest.mark.parametrize("rule", [BROKEN, STALE, NEVER_PROVEN])
@pytest.mark.parametrize("state", [State.DOWN, State.HUNG])
def test_a_gateway_that_is_down_silences_its_paths(rule, state):
    """Everything behind it fails then, and one alert says so."""
    down = Standing(PART, state, NOON, at=NOON)
    assert rule.unjudged(snapshot(condition=condition(parts={PART: down})))
    up = replace(down, state=State.UP)
    assert not rule.unjudged(snapshot(condition=condition(parts={PART: up})))


@pytest.mark.parametrize("rule", [BROKEN, STALE, NEVER_PROVEN])
def test_before_the_gateway_was_read_nothing_is_judged(rule):
    """A daemon that has just started knows old records only."""
    young = condition(topology_at=None, started_at=NOON - timedelta(seconds=599))
    assert rule.unjudged(snapshot(condition=young))
    # One that can never be read must not keep proofs from growing old in silence.
    old = condition(topology_at=None, started_at=NOON - timedelta(seconds=600))
    assert not rule.unjudged(snapshot(condition=old))


def stale(status):
    """What is found to be stale."""
    return list(STALE.find(status))


def with_state(state, **changes):
    """A snapshot with one path in that state."""
    path = fallback_path()
    return snapshot(paths={path: PathStatus(ledger_path(path, state, **changes))})


def test_a_stale_path_is_told_with_its_last_pass():
    """And with what keeps drills from running, if anything does."""
    status = with_state(PathState.STALE, passed_at=NOON - 3 * HOUR, since=NOON - HOUR)
    (found,) = stale(status)
    assert found.labels == {"group": "claude", "hop": "gemma"}
    assert found.since == NOON - HOUR
    assert "since 2026-03-01 09:00 UTC" in found.summary
    assert "refused" not in found.description
    halted = replace(
        status,
        halt=Halt("release", NOON),
        refused=(Refused("engine_busy", 4, NOON, "2 requests wait"),),
    )
    (found,) = stale(halted)
    assert "halted: release; engine_busy 4 times: 2 requests wait" in found.description


@pytest.mark.parametrize("state", [state for state in PathState if state is not PathState.STALE])
def test_no_other_state_is_stale(state):
    """What has failed, or is only late, is another matter."""
    assert stale(with_state(state)) == []


def test_a_path_that_was_never_proven_is_told_after_its_first_target():
    """Not before, and once for each group."""

    def found(age):
        return list(NEVER_PROVEN.find(with_state(PathState.NEVER_PROVEN, known_since=NOON - age)))

    assert found(timedelta(seconds=3599)) == []
    (one,) = found(timedelta(seconds=3600))
    assert (one.labels, one.since) == ({"group": "claude"}, NOON)


@pytest.mark.parametrize("state", [PathState.GAP, PathState.ACCEPTED, PathState.PROVEN])
def test_a_known_gap_or_an_accepted_failure_is_never_told(state):
    """It is explained, and pages nobody."""
    status = with_state(state, known_since=NOON - 99 * HOUR)
    assert [list(rule.find(status)) for rule in (BROKEN, STALE, NEVER_PROVEN)] == [[], [], []]
