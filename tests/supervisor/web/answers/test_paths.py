"""A path holds what the snapshot holds of it."""

import pytest

from supervisor.web.answers.paths import CoverageAnswer, PathAnswer
from tests.fakes.snapshots import (
    FAILED,
    GATEWAY,
    PATHS,
    PROVEN,
    snapshot,
)
from tests.supervisor.web.answers.sent import as_json


def test_a_path_holds_its_state_and_every_verdict():
    """The last verdict of each fault, and the kind of the failure that stands."""
    answer = as_json(PathAnswer.of(FAILED, PATHS[FAILED]))
    first, second = answer.pop("verdicts")
    assert answer == {
        "path": "claude/general/gemma/chat_completions/agent/whole",
        "group": "claude",
        "trigger": "general",
        "hop": "gemma",
        "surface": "chat_completions",
        "shape": "agent",
        "stream": False,
        "state": "failed",
        "since": "2026-03-01T11:00:00Z",
        "kind": "tool_call_leaked",
        "critical": True,
        "target_s": 3600.0,
        "due_at": "2026-03-01T12:30:00Z",
        "late_at": None,
        "stale_at": None,
        "last_passed_at": None,
        "faults": 2,
    }
    assert first == {
        "fault": "rate_limit",
        "outcome": "failed",
        "kind": "tool_call_leaked",
        "at": "2026-03-01T10:00:00Z",
        "drill": "d2",
        "known_gap": None,
        "accepted_until": None,
        "stand_in": False,
        "partial": False,
        "tried_at": "2026-03-01T11:00:00Z",
    }
    assert (second["fault"], second["outcome"], second["kind"]) == ("billing", "passed", None)


def test_a_proven_path_holds_until_when_it_is_proven():
    """When it passed, when it will be late, when stale: three different times."""
    answer = as_json(PathAnswer.of(PROVEN, PATHS[PROVEN]))
    assert [answer[name] for name in ("last_passed_at", "late_at", "stale_at")] == [
        "2026-03-01T11:00:00Z",
        "2026-03-01T13:00:00Z",
        "2026-03-01T14:00:00Z",
    ]


def test_coverage_counts_all_paths_and_lists_those_given():
    """A selection of paths changes neither the ratio nor the counts."""
    answer = as_json(CoverageAnswer.of(snapshot(), {PROVEN: PATHS[PROVEN]}))
    assert [path["path"] for path in answer["paths"]] == [str(PROVEN)]
    assert answer["ratio"] == pytest.approx(1 / 3)
    assert answer["states"] == {"proven": 1, "failed": 1, "never_proven": 1}
    assert (answer["at"], answer["gateway"]) == ("2026-03-01T12:00:00Z", GATEWAY)
    assert answer["next"]["reason"] == "due for 1 h"
