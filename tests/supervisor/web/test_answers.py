"""What the API answers holds what the snapshot or the record holds."""

import json

import pytest

from supervisor.store.alerts.records import fingerprint_of
from supervisor.store.records import Halt
from supervisor.web.answers import (
    CoverageAnswer,
    DrillAnswer,
    DrillsAnswer,
    EvidenceAnswer,
    HaltAnswer,
    PathAnswer,
    StatusAnswer,
)
from tests.fakes.alerts import LABELS
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import (
    FAILED,
    GATEWAY,
    PATHS,
    PROVEN,
    full_snapshot,
    snapshot,
    stored_drill,
)


def as_json(answer):
    """Read back what is sent."""
    return json.loads(answer.model_dump_json())


def test_the_status_holds_everything_but_the_paths():
    """Every field of the snapshot arrives under its published name."""
    assert as_json(StatusAnswer.of(full_snapshot())) == {
        "at": "2026-03-01T12:00:00Z",
        "daemon": "spark-1",
        "version": "1.2.3",
        "started_at": "2026-03-01T09:00:00Z",
        "store": "/var/lib/understudy/understudy.db",
        "gateway": GATEWAY,
        "litellm_version": "1.106.2",
        "gateway_read_at": "2026-03-01T11:59:00Z",
        "problems": ["the disk is full", "connection refused"],
        "reload_refused": "web.listen cannot change",
        "closed": None,
        "used_today": [],
        "findings": [],
        "halt": {
            "reason": "release",
            "since": "2026-03-01T11:00:00Z",
            "until": "2026-03-01T13:00:00Z",
            "daemon": "spark-1",
        },
        "running": {
            "id": "d9",
            "scenario": "claude/general/1/billing/chat/chat_completions/whole",
            "started_at": "2026-03-01T12:00:00Z",
        },
        "coverage_ratio": pytest.approx(1 / 3),
        "states": {"proven": 1, "failed": 1, "never_proven": 1},
        "drills_today": {"passed": 7, "failed": 2},
        "refused_today": [
            {
                "kind": "engine_busy",
                "count": 4,
                "last_at": "2026-03-01T11:00:00Z",
                "reason": "2 requests wait",
            }
        ],
        "changes": [
            {
                "path": "claude/general/gemma/chat_completions/agent/whole",
                "was": "proven",
                "state": "failed",
                "at": "2026-03-01T11:00:00Z",
                "noticed_at": "2026-03-01T12:00:00Z",
                "drill": "d2",
            }
        ],
        "parts": [
            {
                "part": "engine",
                "name": "gemma",
                "state": "down",
                "since": "2026-03-01T11:00:00Z",
                "reason": "nobody listens",
                "at": "2026-03-01T12:00:00Z",
                "seen": "down",
                "seen_reason": "nobody listens",
                "took_s": 0.25,
                "evidence": [
                    {
                        "name": "health",
                        "proves": "it answers",
                        "found": "refused",
                        "outcome": "bad",
                        "took_s": 0.25,
                    }
                ],
            }
        ],
        "part_changes": [
            {
                "part": "engine",
                "name": "gemma",
                "was": "up",
                "state": "down",
                "at": "2026-03-01T11:00:00Z",
                "noticed_at": "2026-03-01T12:00:00Z",
                "reason": "nobody listens",
            }
        ],
        "heartbeats": [
            {
                "name": "backup",
                "status": "missed",
                "period_s": 3600.0,
                "grace_s": 900.0,
                "due_at": "2026-03-01T11:00:00Z",
                "last_at": "2026-03-01T10:00:00Z",
                "age_s": 7200.0,
                "missed": 2,
                "count": 7,
            }
        ],
        "alerts": [
            {
                "alertname": "FallbackBroken",
                "severity": "page",
                "phase": "firing",
                "labels": LABELS,
                "annotations": {
                    "summary": "gemma does not hold",
                    "description": "start it",
                    "drill": "d1",
                },
                "starts_at": "2026-03-01T12:00:00Z",
                "fired_at": "2026-03-01T12:00:00Z",
                "told_at": "2026-03-01T12:00:00Z",
                "reason": "first",
                "fingerprint": fingerprint_of(LABELS),
                "silence": "lunch",
            }
        ],
        "next": {
            "path": "gpt/general/local/chat_completions/chat/whole",
            "reason": "due for 1 h",
        },
        "daemons": [
            {
                "name": "spark-2",
                "gateway": GATEWAY,
                "version": "1.2.2",
                "started_at": "2026-03-01T10:00:00Z",
                "seen_at": "2026-03-01T11:00:00Z",
            }
        ],
    }


def test_what_is_not_there_is_null():
    """A daemon without halt, drill, trouble or next path answers null, not an empty text."""
    answer = as_json(StatusAnswer.of(snapshot(next_path=None, next_reason="nothing is due")))
    nulls = ("halt", "running", "reload_refused")
    assert [answer[name] for name in nulls] == [None, None, None]
    assert answer["problems"] == []
    assert answer["next"] == {"path": None, "reason": "nothing is due"}


def test_a_halt_for_every_daemon_and_for_ever_has_nulls():
    """Null stands for no end and for all daemons."""
    answer = as_json(HaltAnswer.of(Halt("release", NOON)))
    assert (answer["until"], answer["daemon"]) == (None, None)


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


def test_a_drill_holds_its_row_and_where_it_belongs():
    """The row is that of the published report, unchanged."""
    stored = stored_drill(campaign="c1", requests=3, tokens=250, cost_usd=0.02)
    answer = as_json(DrillAnswer.of(stored))
    assert answer.pop("drill") == json.loads(stored.row.model_dump_json())
    assert answer == {
        "path": str(PROVEN),
        "daemon": "spark-1",
        "gateway": GATEWAY,
        "campaign": "c1",
        "ended_at": "2026-03-01T12:00:00Z",
        "requests": 3,
        "tokens": 250,
        "cost_usd": 0.02,
    }


@pytest.mark.parametrize("seen", [None, {}, {"wire": [{"status": 200}]}])
def test_evidence_is_a_drill_with_what_was_observed(seen):
    """Null where it is no longer kept, which differs from an empty observation."""
    stored = stored_drill(seen=seen)
    answer = as_json(EvidenceAnswer.of(stored))
    assert answer.pop("seen") == seen
    assert answer == as_json(DrillAnswer.of(stored))


@pytest.mark.parametrize(("found", "limit", "before"), [(2, 2, "d1"), (1, 2, None), (0, 2, None)])
def test_a_full_page_names_where_the_next_begins(found, limit, before):
    """Its last drill is named; a page that is not full is the last."""
    page = DrillsAnswer.of([stored_drill(f"d{each}") for each in range(found)], limit)
    assert page.before == before
    assert [each.drill.id for each in page.drills] == [f"d{each}" for each in range(found)]
