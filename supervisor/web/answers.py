"""What the API answers, as published in its description; additive changes are free.

Each model says how it is made from the snapshot or from a record: nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from chaos.drill.report import DrillRow
from chaos.gateway.topology import Topology, Trigger
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.audit.report import FindingRow
from supervisor.coverage.ledger import FaultVerdict, PathState
from supervisor.probes.kinds.heartbeat import PulseStatus
from supervisor.probes.probe import Outcome as StepOutcome
from supervisor.probes.probe import PartKind, State
from supervisor.probes.standing import Change, Standing
from supervisor.status import PathStatus, Status
from supervisor.store.alerts.records import (
    AlertState,
    DeliveryState,
    NotifierRecord,
    Phase,
    Reason,
    Severity,
    Silence,
    Told,
)
from supervisor.store.evidence import clean
from supervisor.store.records import Halt, KnownDaemon, Refused, StoredDrill, Transition


class Answer(BaseModel):
    """Something that the API answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HaltAnswer(Answer):
    """Nothing is drilled; *daemon* is null where that holds for every daemon of the store."""

    reason: str
    since: datetime
    until: datetime | None
    daemon: str | None

    @classmethod
    def of(cls, halt: Halt) -> "HaltAnswer":
        """Show *halt*."""
        return cls(reason=halt.reason, since=halt.since, until=halt.until, daemon=halt.daemon)


class PathName(Answer):
    """Which path."""

    path: str
    group: str
    trigger: Trigger
    hop: str
    surface: str
    shape: str
    stream: bool

    @staticmethod
    def parts(path: FallbackPath) -> dict[str, Any]:
        """Write the parts of *path*."""
        return {
            "path": str(path),
            "group": path.group,
            "trigger": path.trigger,
            "hop": path.hop,
            "surface": path.surface,
            "shape": path.shape,
            "stream": path.stream,
        }


class FaultAnswer(Answer):
    """The last verdict of one fault on a path."""

    fault: str
    outcome: Outcome | None
    kind: str | None
    at: datetime | None
    drill: str | None
    known_gap: str | None
    accepted_until: datetime | None
    stand_in: bool
    partial: bool
    tried_at: datetime | None

    @classmethod
    def of(cls, verdict: FaultVerdict) -> "FaultAnswer":
        """Show *verdict*."""
        return cls(**{name: getattr(verdict, name) for name in cls.model_fields})


class PathAnswer(PathName):
    """One path, how it stands, and what is known of each fault on it."""

    state: PathState
    since: datetime
    kind: str | None
    critical: bool
    target_s: float
    due_at: datetime
    late_at: datetime | None
    stale_at: datetime | None
    last_passed_at: datetime | None
    faults: int
    verdicts: tuple[FaultAnswer, ...]

    @classmethod
    def of(cls, path: FallbackPath, status: PathStatus) -> "PathAnswer":
        """Show *path*."""
        record = status.record
        return cls(
            **PathName.parts(path),
            state=record.state,
            since=record.since,
            kind=status.kind,
            critical=record.critical,
            target_s=record.target_s,
            due_at=record.due_at,
            late_at=record.late_at,
            stale_at=record.stale_at,
            last_passed_at=record.passed_at,
            faults=record.faults,
            verdicts=tuple(map(FaultAnswer.of, status.verdicts)),
        )


class NextAnswer(Answer):
    """What is drilled next, and why; *path* is null where nothing is due."""

    path: str | None
    reason: str


class CoverageAnswer(Answer):
    """Every path that is rehearsed; *ratio* is null where there is none that could be proven."""

    at: datetime
    gateway: str
    ratio: float | None
    states: dict[PathState, int]
    next: NextAnswer
    paths: tuple[PathAnswer, ...]

    @classmethod
    def of(cls, status: Status, paths: Mapping[FallbackPath, PathStatus]) -> "CoverageAnswer":
        """Show *paths*, which are all or some of those of *status*."""
        return cls(
            at=status.at,
            gateway=status.condition.gateway,
            ratio=status.coverage_ratio,
            states=dict(status.counts.states),
            next=_next(status),
            paths=tuple(PathAnswer.of(path, one) for path, one in paths.items()),
        )


class RunningAnswer(Answer):
    """The drill that runs now."""

    id: str
    scenario: str
    started_at: datetime


class RefusedAnswer(Answer):
    """How often drills were refused today (UTC); *reason* is the last one's, in words."""

    kind: str
    count: int
    last_at: datetime
    reason: str

    @classmethod
    def of(cls, refused: Refused) -> "RefusedAnswer":
        """Show *refused*."""
        return cls(**{name: getattr(refused, name) for name in cls.model_fields})


class ChangeAnswer(Answer):
    """A path has changed its state: *at* is when that became true."""

    path: str
    was: PathState
    state: PathState
    at: datetime
    noticed_at: datetime
    drill: str | None

    @classmethod
    def of(cls, change: Transition) -> "ChangeAnswer":
        """Show *change*."""
        return cls(
            path=str(change.path),
            was=change.was,
            state=change.state,
            at=change.at,
            noticed_at=change.noticed_at,
            drill=change.drill,
        )


class UsedAnswer(Answer):
    """What drills have used or set aside today (UTC) at one provider."""

    provider: str
    requests: int
    tokens: int
    cost_usd: float


class StepAnswer(Answer):
    """One question of a look, and what came; *proves* is no more than that."""

    name: str
    proves: str
    found: str
    outcome: StepOutcome
    took_s: float


class StandingAnswer(Answer):
    """How a watched part stands.

    *state* is confirmed by several looks; *seen* is what the last one found, with *evidence*.
    """

    part: PartKind
    name: str
    state: State
    since: datetime
    reason: str
    at: datetime | None
    seen: State
    seen_reason: str
    took_s: float
    evidence: tuple[StepAnswer, ...]

    @classmethod
    def of(cls, standing: Standing) -> "StandingAnswer":
        """Show *standing*."""
        return cls(
            part=standing.part.kind,
            name=standing.part.name,
            state=standing.state,
            since=standing.since,
            reason=standing.reason,
            at=standing.at,
            seen=standing.seen,
            seen_reason=standing.seen_reason,
            took_s=standing.took_s,
            evidence=tuple(
                StepAnswer(**{name: getattr(step, name) for name in StepAnswer.model_fields})
                for step in standing.evidence
            ),
        )


class PartChangeAnswer(Answer):
    """A watched part has changed its state, at *at*; that was confirmed at *noticed_at*."""

    part: PartKind
    name: str
    was: State
    state: State
    at: datetime
    noticed_at: datetime
    reason: str

    @classmethod
    def of(cls, change: Change) -> "PartChangeAnswer":
        """Show *change*."""
        return cls(
            part=change.part.kind,
            name=change.part.name,
            was=change.was,
            state=change.state,
            at=change.at,
            noticed_at=change.noticed_at,
            reason=change.reason,
        )


class HeartbeatAnswer(Answer):
    """A client from which a sign of life is expected; *missed* is how many did not come."""

    name: str
    status: PulseStatus
    period_s: float
    grace_s: float
    due_at: datetime
    last_at: datetime | None
    age_s: float | None
    missed: int
    count: int


class HeartbeatsAnswer(Answer):
    """Every client from which a sign of life is expected."""

    heartbeats: tuple[HeartbeatAnswer, ...]

    @classmethod
    def of(cls, status: Status) -> "HeartbeatsAnswer":
        """Show those of *status*."""
        return cls(
            heartbeats=tuple(
                HeartbeatAnswer(
                    name=one.expected.name,
                    status=one.pulse.status,
                    period_s=one.expected.period.total_seconds(),
                    grace_s=one.expected.grace.total_seconds(),
                    due_at=one.pulse.due_at,
                    last_at=one.beats.last_at,
                    age_s=one.pulse.age_s,
                    missed=one.pulse.missed,
                    count=one.beats.count,
                )
                for one in status.heartbeats
            )
        )


class BeatAnswer(Answer):
    """A sign of life was taken."""

    name: str


class AlertAnswer(Answer):
    """An alert that is pending or fires; *told_at* is null while a silence keeps it from people."""

    alertname: str
    severity: Severity
    phase: Phase
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    fired_at: datetime | None
    told_at: datetime | None
    reason: Reason
    fingerprint: str
    silence: str | None

    @classmethod
    def of(cls, state: AlertState, silences: Sequence[Silence]) -> "AlertAnswer":
        """Show *state*."""
        silence = next((one.reason for one in silences if one.covers(state.labels)), None)
        return cls(
            alertname=state.name,
            severity=state.severity,
            phase=state.phase,
            labels=dict(state.labels),
            annotations=dict(state.annotations),
            starts_at=state.starts_at,
            fired_at=state.fired_at,
            told_at=state.told_at,
            reason=state.reason,
            fingerprint=state.fingerprint,
            silence=silence,
        )


class DeliveryAnswer(Answer):
    """What became of one change at one notifier."""

    notifier: str
    state: DeliveryState
    tries: int
    due_at: datetime
    ended_at: datetime | None
    result: str | None
    detail: str
    took_s: float | None


class ToldAnswer(Answer):
    """Something that was told, or was kept silent; *id* is the delivery's everywhere."""

    id: str
    alertname: str
    severity: Severity
    labels: dict[str, str]
    annotations: dict[str, str]
    firing: bool
    reason: Reason
    starts_at: datetime
    ends_at: datetime | None
    at: datetime
    silence: str | None
    deliveries: tuple[DeliveryAnswer, ...]

    @classmethod
    def of(cls, told: Told) -> "ToldAnswer":
        """Show *told*."""
        change = told.change
        return cls(
            id=change.id,
            alertname=change.name,
            severity=change.severity,
            labels=dict(change.labels),
            annotations=dict(change.annotations),
            firing=change.firing,
            reason=change.reason,
            starts_at=change.starts_at,
            ends_at=change.ends_at,
            at=change.at,
            silence=change.silence,
            deliveries=tuple(
                DeliveryAnswer(
                    notifier=one.notifier,
                    state=one.state,
                    tries=one.tries,
                    due_at=one.due_at,
                    ended_at=one.ended_at,
                    result=one.result,
                    detail=one.detail,
                    took_s=None
                    if one.ended_at is None
                    else (one.ended_at - change.at).total_seconds(),
                )
                for one in told.deliveries
            ),
        )


class SilenceAnswer(Answer):
    """Nobody is told of alerts whose labels match all of *matchers*, patterns with * and ?."""

    number: int
    matchers: dict[str, str]
    reason: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, silence: Silence) -> "SilenceAnswer":
        """Show *silence*."""
        return cls(
            number=silence.number,
            matchers=dict(silence.matchers),
            reason=silence.reason,
            since=silence.since,
            until=silence.until,
        )


class NotifierAnswer(Answer):
    """How deliveries to one notifier go."""

    name: str
    waiting: int
    dead: int
    last_result: str | None
    last_detail: str
    last_taken_at: datetime | None


class AlertsAnswer(Answer):
    """What is pending or fires, what was told lately, who is told, and who is not."""

    alerts: tuple[AlertAnswer, ...]
    told: tuple[ToldAnswer, ...]
    silences: tuple[SilenceAnswer, ...]
    notifiers: tuple[NotifierAnswer, ...]

    @classmethod
    def of(cls, status: Status, told: Sequence[Told]) -> "AlertsAnswer":
        """Show the alerts of *status*."""
        names = dict.fromkeys((*status.condition.notifiers, *status.notifiers))
        records = [status.notifiers.get(name) or NotifierRecord(name) for name in names]
        return cls(
            alerts=tuple(AlertAnswer.of(state, status.silences) for state in status.alerts),
            told=tuple(map(ToldAnswer.of, told)),
            silences=tuple(map(SilenceAnswer.of, status.silences)),
            notifiers=tuple(
                NotifierAnswer(
                    name=one.name,
                    waiting=one.waiting,
                    dead=one.dead,
                    last_result=one.last_result,
                    last_detail=one.last_detail,
                    last_taken_at=one.last_taken_at,
                )
                for one in records
            ),
        )


class TestStartedAnswer(Answer):
    """A test alert was fired; *test* is its label."""

    __test__ = False  # It is no test of pytest's.

    test: str


class DaemonAnswer(Answer):
    """A daemon that uses the same store."""

    name: str
    gateway: str
    version: str
    started_at: datetime
    seen_at: datetime

    @classmethod
    def of(cls, daemon: KnownDaemon) -> "DaemonAnswer":
        """Show *daemon*."""
        return cls(**{name: getattr(daemon, name) for name in cls.model_fields})


class StatusAnswer(Answer):
    """Everything that is known now, without the single paths.

    *problems* says why the daemon cannot do its job; nothing if it can. *closed* says why no drill
    may run at this time of day. *findings* are those of the last audit.
    """

    at: datetime
    daemon: str
    version: str
    started_at: datetime
    store: str
    gateway: str
    litellm_version: str
    gateway_read_at: datetime | None
    problems: tuple[str, ...]
    reload_refused: str | None
    closed: str | None
    halt: HaltAnswer | None
    running: RunningAnswer | None
    coverage_ratio: float | None
    states: dict[PathState, int]
    drills_today: dict[str, int]
    refused_today: tuple[RefusedAnswer, ...]
    used_today: tuple[UsedAnswer, ...]
    findings: tuple[FindingRow, ...]
    changes: tuple[ChangeAnswer, ...]
    parts: tuple[StandingAnswer, ...]
    part_changes: tuple[PartChangeAnswer, ...]
    heartbeats: tuple[HeartbeatAnswer, ...]
    alerts: tuple[AlertAnswer, ...]
    next: NextAnswer
    daemons: tuple[DaemonAnswer, ...]

    @classmethod
    def of(cls, status: Status) -> "StatusAnswer":
        """Show *status*."""
        condition, running = status.condition, status.condition.running
        return cls(
            at=status.at,
            daemon=condition.daemon,
            version=condition.version,
            started_at=condition.started_at,
            store=condition.store,
            gateway=condition.gateway,
            litellm_version=condition.litellm_version,
            gateway_read_at=condition.topology_at,
            problems=status.problems,
            reload_refused=condition.reload_trouble,
            closed=condition.closed,
            halt=HaltAnswer.of(status.halt) if status.halt else None,
            running=RunningAnswer(
                id=running.id, scenario=running.scenario, started_at=running.started_at
            )
            if running
            else None,
            coverage_ratio=status.coverage_ratio,
            states=dict(status.counts.states),
            drills_today=dict(status.counts.today),
            refused_today=tuple(map(RefusedAnswer.of, status.refused)),
            used_today=tuple(
                UsedAnswer(
                    provider=provider,
                    requests=used.requests,
                    tokens=used.tokens,
                    cost_usd=used.cost_usd,
                )
                for provider, used in status.used_today.items()
            ),
            findings=status.findings,
            changes=tuple(map(ChangeAnswer.of, status.changes)),
            parts=tuple(map(StandingAnswer.of, status.condition.parts.values())),
            part_changes=tuple(map(PartChangeAnswer.of, status.part_changes)),
            heartbeats=HeartbeatsAnswer.of(status).heartbeats,
            alerts=tuple(AlertAnswer.of(state, status.silences) for state in status.alerts),
            next=_next(status),
            daemons=tuple(map(DaemonAnswer.of, status.daemons)),
        )


class DrillAnswer(Answer):
    """A drill: its row of the report, and where it belongs."""

    drill: DrillRow
    path: str
    daemon: str
    gateway: str
    campaign: str | None
    ended_at: datetime
    requests: int
    tokens: int
    cost_usd: float

    @staticmethod
    def fields_of(stored: StoredDrill) -> dict[str, Any]:
        """Write what every answer about *stored* holds."""
        return {
            "drill": stored.row,
            "path": str(stored.path),
            "daemon": stored.daemon,
            "gateway": stored.gateway,
            "campaign": stored.campaign,
            "ended_at": stored.ended_at,
            "requests": stored.requests,
            "tokens": stored.tokens,
            "cost_usd": stored.cost_usd,
        }

    @classmethod
    def of(cls, stored: StoredDrill) -> "DrillAnswer":
        """Show *stored*."""
        return cls(**cls.fields_of(stored))


class EvidenceAnswer(DrillAnswer):
    """A drill with what was observed in it; null once that was too old to keep."""

    seen: dict[str, Any] | None

    @classmethod
    def of(cls, stored: StoredDrill) -> "EvidenceAnswer":
        """Show *stored*."""
        seen = None if stored.seen is None else dict(stored.seen)
        return cls(**cls.fields_of(stored), seen=seen)


class DrillsAnswer(Answer):
    """One page of drills, newest first; *before* asks for the next, and is null at the end."""

    drills: tuple[DrillAnswer, ...]
    before: str | None

    @classmethod
    def of(cls, found: Sequence[StoredDrill], limit: int) -> "DrillsAnswer":
        """Show *found*, of which *limit* were asked for."""
        before = found[-1].row.id if len(found) >= limit else None
        return cls(drills=tuple(map(DrillAnswer.of, found)), before=before)


class StartedAnswer(Answer):
    """A campaign has begun; *events* is where its progress is told."""

    id: str
    events: str


class DeploymentAnswer(Answer):
    """One upstream of a model group; null means unknown."""

    id: str
    litellm_model: str
    provider: str
    base_url: str | None
    local: bool
    max_input_tokens: int | None
    supports_tools: bool | None


class GroupAnswer(Answer):
    """A model group and its deployments."""

    name: str
    deployments: tuple[DeploymentAnswer, ...]


class ChainAnswer(Answer):
    """The hops of a group for one trigger, the group itself first."""

    group: str
    trigger: Trigger
    hops: tuple[str, ...]
    missing: tuple[str, ...]
    cut: tuple[str, ...]


class TopologyAnswer(Answer):
    """The gateway as it was read last."""

    litellm_version: str
    groups: tuple[GroupAnswer, ...]
    chains: tuple[ChainAnswer, ...]

    @classmethod
    def of(cls, topology: Topology) -> "TopologyAnswer":
        """Show *topology*, without passwords in addresses."""
        return cls(
            litellm_version=topology.litellm_version,
            groups=tuple(
                GroupAnswer(
                    name=group.name,
                    deployments=tuple(
                        DeploymentAnswer(
                            id=one.id,
                            litellm_model=one.litellm_model,
                            provider=one.provider,
                            base_url=None if one.base_url is None else clean(one.base_url),
                            local=one.local,
                            max_input_tokens=one.max_input_tokens,
                            supports_tools=one.supports_tools,
                        )
                        for one in group.deployments
                    ),
                )
                for group in topology.groups.values()
            ),
            chains=tuple(
                ChainAnswer(
                    group=chain.group,
                    trigger=chain.trigger,
                    hops=chain.hops,
                    missing=chain.missing,
                    cut=chain.cut,
                )
                for chain in topology.chains
            ),
        )


def _next(status: Status) -> NextAnswer:
    path = None if status.next_path is None else str(status.next_path)
    return NextAnswer(path=path, reason=status.next_reason)
