"""What is watched: parts, how they changed, and the heartbeats of clients."""

from datetime import datetime

from supervisor.probes.kinds.heartbeat import PulseStatus
from supervisor.probes.probe import Outcome as StepOutcome
from supervisor.probes.probe import PartKind, State
from supervisor.probes.standing import Change, Standing
from supervisor.status import Status
from supervisor.web.answers.answer import Answer


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
