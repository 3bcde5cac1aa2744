"""Snapshots and stored drills, as a daemon would hold them at noon."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.baseline.standing import speed_of
from supervisor.coverage.ledger import FaultVerdict, LedgerPath, PathState
from supervisor.probes.kinds.heartbeat import Beats, Expected
from supervisor.probes.probe import Outcome as StepOutcome
from supervisor.probes.probe import Part, PartKind, State, Step
from supervisor.probes.standing import Change, Standing
from supervisor.status import Condition, PathStatus, Running, Status
from supervisor.store.alerts.records import NotifierRecord, Silence
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout
from supervisor.store.records import (
    Counts,
    Halt,
    KnownDaemon,
    Refused,
    StoredDrill,
    Transition,
)
from tests.fakes.alerts import alert_state
from tests.fakes.benchmarks import benchmark, boot, runs
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import row

GATEWAY = "http://gateway:4000"
HOUR = timedelta(hours=1)


def fallback_path(group: str = "claude", hop: str = "gemma", shape: str = "chat") -> FallbackPath:
    """Name a path; on chat completions, not streamed."""
    return FallbackPath(group, Trigger.GENERAL, hop, "chat_completions", shape, stream=False)


def ledger_path(path: FallbackPath, state: PathState, **changes: Any) -> LedgerPath:
    """Make a record that is due in half an hour; its target is an hour."""
    record = LedgerPath(
        path=path,
        target_s=3600.0,
        critical=False,
        faults=2,
        fingerprint="f1",
        state=state,
        since=NOON - HOUR,
        known_since=NOON - 2 * HOUR,
        due_at=NOON + HOUR / 2,
    )
    return replace(record, **changes)


SLOWED = (
    benchmark(id="b1", taken_at=NOON - 3 * HOUR),
    benchmark(
        id="b2",
        taken_at=NOON - HOUR,
        taken_by="daemon",
        boot=boot(2),
        runs=runs(30.0),
    ),
)
"""An engine that was started anew, and generates 30 tokens a second in place of 50."""

PROVEN = fallback_path()
FAILED = fallback_path(shape="agent")
UNPROVEN = fallback_path("gpt", "local")

PASS = FaultVerdict("billing", NOON - HOUR, Outcome.PASSED, NOON - HOUR, "d1")
FAILURE = FaultVerdict(
    "rate_limit", NOON - HOUR, Outcome.FAILED, NOON - 2 * HOUR, "d2", Kind.TOOL_CALL_LEAKED
)

PATHS = {
    PROVEN: PathStatus(
        ledger_path(
            PROVEN,
            PathState.PROVEN,
            passed_at=NOON - HOUR,
            late_at=NOON + HOUR,
            stale_at=NOON + 2 * HOUR,
        ),
        (PASS,),
    ),
    FAILED: PathStatus(ledger_path(FAILED, PathState.FAILED, critical=True), (FAILURE, PASS)),
    UNPROVEN: PathStatus(ledger_path(UNPROVEN, PathState.NEVER_PROVEN)),
}


ENGINE = Part(PartKind.ENGINE, "gemma")
ENGINE_DOWN = Standing(
    ENGINE,
    State.DOWN,
    NOON - HOUR,
    "nobody listens",
    at=NOON,
    took_s=0.25,
    seen=State.DOWN,
    seen_reason="nobody listens",
    evidence=(Step("health", "it answers", "refused", StepOutcome.BAD, 0.25),),
)


CONTAINER = Part(PartKind.CONTAINER, "gemma")
CONTAINER_UP = Standing(
    CONTAINER,
    State.UP,
    NOON - HOUR,
    "it runs",
    at=NOON,
    facts={"container": "vllm", "image_id": "sha256:b", "mounts": ["/opt/parser.py"]},
)
PATCH = PatchLook(
    "vllm", "/opt/parser.py", "/srv/parser.py", "sha256:b", "b" * 64, "f" * 64, "a" * 64, NOON
)
"""Of a file that has changed in the image that runs."""

ROLLOUT = JournalRollout(
    "20260301-110000-vllm",
    "gemma",
    "vllm",
    "stranded",
    NOON - HOUR,
    NOON - HOUR / 2,
    {"why": "the memory has not come back: only a reboot returns it"},
)


def condition(**changes: Any) -> Condition:
    """Make the condition of a daemon that can do its job."""
    usual = Condition(
        daemon="spark-1",
        gateway=GATEWAY,
        version="1.2.3",
        started_at=NOON - 3 * HOUR,
        store="/var/lib/understudy/understudy.db",
        litellm_version="1.106.2",
        topology_at=NOON - timedelta(minutes=1),
    )
    return replace(usual, **changes)


def snapshot(**changes: Any) -> Status:
    """Make a snapshot with three paths, one of which is proven."""
    usual = Status(
        at=NOON,
        condition=condition(),
        paths=PATHS,
        counts=Counts(
            states={PathState.PROVEN: 1, PathState.FAILED: 1, PathState.NEVER_PROVEN: 1},
            today={"passed": 7, "failed": 2},
        ),
        next_path=UNPROVEN,
        next_reason="due for 1 h",
    )
    return replace(usual, **changes)


def full_snapshot() -> Status:
    """Make a snapshot in which no field is empty."""
    return snapshot(
        condition=condition(
            gateway_trouble="connection refused",
            store_trouble="the disk is full",
            reload_trouble="web.listen cannot change",
            parts={ENGINE: ENGINE_DOWN, CONTAINER: CONTAINER_UP},
            expected=(Expected("backup", HOUR, HOUR / 4),),
            running=Running("d9", "claude/general/1/billing/chat/chat_completions/whole", NOON),
        ),
        halt=Halt("release", NOON - HOUR, NOON + HOUR, "spark-1"),
        refused=(Refused("engine_busy", 4, NOON - HOUR, "2 requests wait"),),
        changes=(Transition(FAILED, PathState.PROVEN, PathState.FAILED, NOON - HOUR, NOON, "d2"),),
        part_changes=(Change(ENGINE, State.UP, State.DOWN, NOON - HOUR, NOON, "nobody listens"),),
        beats={"backup": Beats("backup", NOON - 9 * HOUR, NOON - 2 * HOUR, 7)},
        alerts=(alert_state(),),
        silences=(Silence(7, {"group": "claude"}, "lunch", NOON, NOON + HOUR),),
        speeds={"gemma": speed_of(SLOWED)},
        rollouts=(ROLLOUT,),
        patches=(PATCH,),
        notifiers={"ops": NotifierRecord("ops", 1, 2, "ok")},
        daemons=(KnownDaemon("spark-2", GATEWAY, "1.2.2", NOON - 2 * HOUR, NOON - HOUR),),
    )


def stored_drill(name: str = "d1", **changes: Any) -> StoredDrill:
    """Make a drill of the proven path that passed at noon."""
    values: dict[str, Any] = {
        "row": row(id=name),
        "path": PROVEN,
        "daemon": "spark-1",
        "gateway": GATEWAY,
        "ended_at": NOON,
        **changes,
    }
    return StoredDrill(**values)
