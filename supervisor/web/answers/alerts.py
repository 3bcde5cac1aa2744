"""What fires, what was told and to whom, and silences."""

from collections.abc import Sequence
from datetime import datetime

from supervisor.status import Status
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
from supervisor.web.answers.answer import Answer


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
