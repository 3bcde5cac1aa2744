"""The contract of a rule: what in a snapshot is worth telling. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from supervisor.status import Status
from supervisor.store.alerts.records import Severity

RUNBOOKS = "docs/alerts.md"
"""Where each alert has a section, whose name is the alert's in lower case."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a rule has found.

    Attributes:
        labels: Besides ``alertname`` and ``severity``; what may change while it holds is no label.
        since: When it began.
        summary: One line.
        description: What a person needs at three in the morning.
        more: Further annotations.
        holds: False where the snapshot cannot tell: then the alert stays as it is.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    summary: str = ""
    description: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    holds: bool = True


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert.

    Attributes:
        hold: How long a condition must hold before the alert fires.
        find: Lists the conditions that hold, or of which the snapshot cannot tell.
        unjudged: Says whether the snapshot can tell nothing at all about this alert.
    """

    name: str
    severity: Severity
    find: Callable[[Status], Iterable[Condition]]
    hold: timedelta = timedelta(0)
    unjudged: Callable[[Status], bool] = lambda _: False


def runbook(name: str) -> str:
    """Say where the alert's runbook is: on the daemon's pages, and in the repository alike."""
    return f"{RUNBOOKS}#{name.lower()}"
