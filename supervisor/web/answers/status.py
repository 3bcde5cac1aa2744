"""Everything that is known now, without the single paths."""

from datetime import datetime

from supervisor.audit.report import FindingRow
from supervisor.coverage.ledger import PathState
from supervisor.installed import patches, swaps
from supervisor.status import Status
from supervisor.store.records import Halt, KnownDaemon, Refused
from supervisor.web.answers.alerts import AlertAnswer
from supervisor.web.answers.answer import Answer
from supervisor.web.answers.installed import PatchAnswer, SwapAnswer
from supervisor.web.answers.parts import (
    HeartbeatAnswer,
    HeartbeatsAnswer,
    PartChangeAnswer,
    StandingAnswer,
)
from supervisor.web.answers.paths import ChangeAnswer, NextAnswer, next_of


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


class UsedAnswer(Answer):
    """What drills have used or set aside today (UTC) at one provider."""

    provider: str
    requests: int
    tokens: int
    cost_usd: float


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
    swaps: tuple[SwapAnswer, ...] = ()
    patches: tuple[PatchAnswer, ...] = ()
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
            swaps=tuple(map(SwapAnswer.of, swaps(status))),
            patches=tuple(map(PatchAnswer.of, patches(status))),
            heartbeats=HeartbeatsAnswer.of(status).heartbeats,
            alerts=tuple(AlertAnswer.of(state, status.silences) for state in status.alerts),
            next=next_of(status),
            daemons=tuple(map(DaemonAnswer.of, status.daemons)),
        )
