"""The contract of a notifier: one way to tell somebody, and what came of it.

A notifier never raises and never retries: the outbox does that, by the receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from supervisor.store.alerts.records import AlertChange


class Result(StrEnum):
    """What came of one try, as the metric ``notifications_total`` names it."""

    OK = "ok"
    AUTH_ERROR = "authError"
    RATE_LIMITED = "rateLimited"
    CLIENT_ERROR = "clientError"
    SERVER_ERROR = "serverError"
    UNREACHABLE = "unreachable"

    @property
    def is_final(self) -> bool:
        """Another try would bring the same: it was taken, or refused for good."""
        return self in (Result.OK, Result.AUTH_ERROR, Result.CLIENT_ERROR)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one try.

    Attributes:
        detail: In words, without any secret; empty if it was taken.
        status: HTTP status; None if there was no reply, or no HTTP.
        retry_after_s: How long the receiver asks to be left alone; None if it does not say.
    """

    result: Result
    detail: str = ""
    status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition of one alert, as it is told.

    Attributes:
        delivery: Its id, the same at every try.
        labels: With ``alertname`` and ``severity``.
        annotations: ``summary``, ``description``, ``runbook_url`` and what the alert has besides.
        firing: False when it is resolved.
        reason: ``first``, ``new``, ``repeat``, ``resolved``.
        ends_at: None while it fires.
        fingerprint: Sixteen hexadecimal digits, of the labels.
        generator_url: Where it can be looked at.
        external_url: Where the daemon is.
    """

    delivery: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    firing: bool
    reason: str
    starts_at: datetime
    ends_at: datetime | None
    fingerprint: str
    generator_url: str
    external_url: str

    @classmethod
    def of(cls, change: AlertChange, base_url: str) -> "Notice":
        """Tell *change*; it can be looked at on the daemon at *base_url*."""
        drill = change.annotations.get("drill")
        annotations = dict(change.annotations)
        if "runbook_url" in annotations:
            # Where the daemon is reached may change between the transition and this try.
            annotations["runbook_url"] = f"{base_url}/{annotations['runbook_url']}"
        where = f"{base_url}/drills/{drill}" if drill else f"{base_url}/"
        return cls(
            delivery=change.id,
            labels=change.labels,
            annotations={**annotations, **({"drill_url": where} if drill else {})},
            firing=change.firing,
            reason=change.reason.value,
            starts_at=change.starts_at,
            ends_at=change.ends_at,
            fingerprint=change.fingerprint,
            generator_url=where,
            external_url=base_url,
        )

    @property
    def alertname(self) -> str:
        """Which alert."""
        return self.labels["alertname"]


class Notifier(Protocol):
    """One way to tell somebody."""

    @property
    def name(self) -> str:
        """The user's name for it: a label of metrics."""
        ...

    async def deliver(self, notice: Notice, /) -> Receipt:
        """Tell it once."""
        ...

    async def keep_alive(self, firing: tuple[Notice, ...], /) -> Receipt | None:
        """Tell what fires, where the receiver forgets it otherwise; None if nothing was sent."""
        ...


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that no detail may hold."""

    texts: tuple[str, ...] = field(default=(), repr=False)

    def masked(self, text: str) -> str:
        """Take them out of *text*."""
        for secret in self.texts:
            if secret:
                text = text.replace(secret, "***")
        return text
