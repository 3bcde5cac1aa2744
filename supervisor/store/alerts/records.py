"""What is known of alerts, what was told, and to whom: frozen values."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase


class Severity(StrEnum):
    """How urgent an alert is."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Phase(StrEnum):
    """How far an alert is."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Reason(StrEnum):
    """Why something was told, or not."""

    FIRST = "first"
    """It fires, and no other alert of its name does."""
    NEW = "new"
    """It fires beside others of its name, or a silence has ended."""
    RESOLVED = "resolved"
    REPEAT = "repeat"
    """It still fires, and that was told a while ago."""
    NOTHING = "nothing"


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Name a set of labels with sixteen hexadecimal digits."""
    text = json.dumps(sorted(labels.items()), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class AlertState:
    """One alert: what holds of one set of labels.

    Attributes:
        labels: With ``alertname`` and ``severity``.
        starts_at: When what it is about began; it may have been noticed later.
        pending_since: When it was noticed.
        fired_at: When it began to fire; None if it has not.
        ends_at: When it was resolved; None while it is not.
        told_at: When it was told last; None if nobody was told, because of a silence.
        reason: Of the last decision about it.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    severity: Severity
    phase: Phase
    starts_at: datetime
    pending_since: datetime
    fired_at: datetime | None = None
    ends_at: datetime | None = None
    told_at: datetime | None = None
    reason: Reason = Reason.NOTHING

    @property
    def fingerprint(self) -> str:
        """What tells it from others."""
        return fingerprint_of(self.labels)


@dataclass(frozen=True, slots=True)
class AlertChange:
    """Something that is to be told of an alert.

    Attributes:
        id: The delivery's, the same for every notifier and every try.
        silence: Why nobody is told; None if somebody is.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    severity: Severity
    firing: bool
    reason: Reason
    starts_at: datetime
    ends_at: datetime | None
    at: datetime
    silence: str | None = None

    @property
    def fingerprint(self) -> str:
        """What tells the alert from others."""
        return fingerprint_of(self.labels)


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    TAKEN = "taken"
    DEAD = "dead"
    """Refused for good, or tried for too long."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One change for one notifier.

    Attributes:
        number: Of the change.
        tries: How often it was tried.
        due_at: When it is tried next.
        result: Of the last try; None before the first.
        detail: Of the last try, in words.
    """

    number: int
    notifier: str
    change: AlertChange
    state: DeliveryState
    tries: int
    due_at: datetime
    ended_at: datetime | None = None
    result: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of alerts whose labels match all patterns.

    Attributes:
        matchers: Pattern by label, with * and ?; ``alertname`` is a label too.
    """

    number: int
    matchers: Mapping[str, str]
    reason: str
    since: datetime
    until: datetime

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert of these labels is silenced."""
        return all(
            fnmatchcase(labels.get(label, ""), pattern) for label, pattern in self.matchers.items()
        )


@dataclass(frozen=True, slots=True)
class NotifierRecord:
    """How deliveries to one notifier go.

    Attributes:
        waiting: How many wait.
        dead: How many were given up, of those kept.
        last_result: Of the last try.
        last_at: When the last one ended.
        last_taken_at: When it took one last.
        waiting_since: When the oldest that waits was to be told; None if none waits.
        tries: How often that one was tried.
    """

    name: str
    waiting: int = 0
    dead: int = 0
    last_result: str | None = None
    last_detail: str = ""
    last_at: datetime | None = None
    last_taken_at: datetime | None = None
    waiting_since: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """A change, and its deliveries."""

    change: AlertChange
    deliveries: tuple[Delivery, ...] = field(default=())
