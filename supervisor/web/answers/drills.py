"""Drills that have ended, and campaigns that begin."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chaos.drill.report import DrillRow
from supervisor.store.records import StoredDrill
from supervisor.web.answers.answer import Answer


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
