"""What pages show: many paths, and a drill whose exchange was kept."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import FaultVerdict, PathState
from supervisor.status import PathStatus, Status
from supervisor.store.records import Counts, StoredDrill
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import hop, row
from tests.fakes.snapshots import full_snapshot, ledger_path, snapshot, stored_drill

EVIL = "<script>alert(1)</script>\"'{{7*7}}"
SEEN = {
    "reply": {
        "status": 429,
        "asked_at_s": 100.0,
        "deadline_s": 60.0,
        "total_s": 0.5,
        "reading": {"error": {"message": EVIL}},
    },
    "wire": [
        {
            "group": "claude",
            "dialect": "anthropic",
            "outcome": "faulted",
            "fault": "billing",
            "status": 400,
            "started_at_s": 100.1,
            "ended_at_s": 100.15,
            "asked": {"turns": [{"role": "user", "text": EVIL}], "tools": []},
            "reply": {"error": {"message": "credit balance is too low"}},
        },
        {
            "group": "gemma",
            "dialect": "vllm",
            "outcome": "errored",
            "fault": None,
            "status": 400,
            "started_at_s": 100.2,
            "ended_at_s": 100.4,
        },
    ],
}


def failed_drill(name: str = "d2") -> StoredDrill:
    """Make a drill that failed at its hop, with what was seen."""
    faulted = hop("claude", "faulted", fault="billing", status=400)
    hops = (faulted, hop("gemma", "errored", status=400))
    return stored_drill(name, row=row(id=name, kind=Kind.HOP_FAILED, hops=hops), seen=SEEN)


def many_paths(groups: int = 20) -> Status:
    """Make a snapshot of 25 paths for each group, in every state."""
    paths: dict[FallbackPath, PathStatus] = {}
    states = tuple(PathState)
    shapes = ("chat", "tool_call", "agent", "structured_output", "tool_result", "long_context")
    for number in range(groups):
        group = f"claude-opus-{number}"
        for shape, stream, name in product(shapes, (False, True), ("gemma-4-26b-local", "none")):
            path = FallbackPath(group, Trigger.GENERAL, name, "chat_completions", shape, stream)
            state = states[len(paths) % len(states)]
            verdict = FaultVerdict("rate_limit", NOON, Outcome.PASSED, NOON, f"{len(paths):012x}")
            record = ledger_path(path, state, passed_at=NOON - timedelta(hours=3))
            paths[path] = PathStatus(record, (verdict,))
        special = FallbackPath(
            group, Trigger.CONTEXT_WINDOW, "gemma-4-26b-local", "messages", "chat", stream=False
        )
        paths[special] = PathStatus(ledger_path(special, PathState.NEVER_PROVEN))
    counts = Counts(states=dict.fromkeys(states, 1))
    return replace(full_snapshot(), paths=paths, counts=counts)


def healthy() -> Status:
    """Make a snapshot in which all is well."""
    base = snapshot()
    proven = {path: one for path, one in base.paths.items() if one.record.state is PathState.PROVEN}
    return replace(
        base,
        paths=proven,
        counts=Counts(states={PathState.PROVEN: 1}, today={"passed": 7}),
        next_path=None,
        next_due_at=NOON + timedelta(minutes=4),
    )
