"""The status holds what the snapshot holds."""

import pytest

from supervisor.store.alerts.records import fingerprint_of
from supervisor.store.records import Halt
from supervisor.web.answers.status import HaltAnswer, StatusAnswer
from tests.fakes.alerts import LABELS
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import (
    GATEWAY,
    full_snapshot,
    snapshot,
)
from tests.supervisor.web.answers.sent import as_json


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
            },
            {
                "part": "container",
                "name": "gemma",
                "state": "up",
                "since": "2026-03-01T11:00:00Z",
                "reason": "it runs",
                "at": "2026-03-01T12:00:00Z",
                "seen": "unknown",
                "seen_reason": "",
                "took_s": 0.0,
                "evidence": [],
            },
        ],
        "swaps": [
            {
                "rollout": "20260301-110000-vllm",
                "engine": "gemma",
                "container": "vllm",
                "state": "stranded",
                "begun_at": "2026-03-01T11:00:00Z",
                "changed_at": "2026-03-01T11:30:00Z",
                "under_way": False,
                "trouble": "the memory has not come back: only a reboot returns it",
                "to_do": "understudy rollout rollback; where memory is missing, reboot before it",
            }
        ],
        "patches": [
            {
                "engine": "gemma",
                "container": "vllm",
                "target": "/opt/parser.py",
                "source": "/srv/parser.py",
                "looked_at": "2026-03-01T12:00:00Z",
                "trouble": "the image's own file is another one (bbbbbbbbbbbb…) than the one that "
                "the mounted file was made for (aaaaaaaaaaaa…): the mount hides what changed",
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
