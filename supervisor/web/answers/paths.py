"""Paths: how they stand, what is next, and how they changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chaos.gateway.topology import Trigger
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import FaultVerdict, PathState
from supervisor.status import PathStatus, Status
from supervisor.store.records import Transition
from supervisor.web.answers.answer import Answer


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
            next=next_of(status),
            paths=tuple(PathAnswer.of(path, one) for path, one in paths.items()),
        )


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


def next_of(status: Status) -> NextAnswer:
    """Show what is drilled next."""
    path = None if status.next_path is None else str(status.next_path)
    return NextAnswer(path=path, reason=status.next_reason)
