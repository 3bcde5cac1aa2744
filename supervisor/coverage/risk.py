"""How urgent a path is: its overdue share times its weight, in a number and in words. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from supervisor.coverage.ledger import LedgerPath, PathState
from supervisor.settings.values import duration_text


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that makes a path more urgent than others, and how many times."""

    words: str
    times: int


def reasons(record: LedgerPath) -> tuple[Reason, ...]:
    """List what makes *record* more urgent than others that are as overdue."""
    listed = []
    if record.critical:
        listed.append(Reason("its group is critical", 4))
    if record.state is PathState.FAILED:
        listed.append(Reason("it failed", 3))
    if record.state is PathState.NEVER_PROVEN:
        listed.append(Reason("it was never proven", 3))
    if record.full_since is not None:
        listed.append(Reason("it has changed or failed, so every fault is tried", 2))
    return tuple(listed)


def weight(record: LedgerPath) -> int:
    """Multiply the reasons."""
    product = 1
    for reason in reasons(record):
        product *= reason.times
    return product


def rate(record: LedgerPath) -> float:
    """Say how fast the risk grows once the path is due, per second.

    Few values occur: the store finds the most urgent path by one look per value.
    """
    return weight(record) / record.target_s


def risk(record: LedgerPath, now: datetime) -> float:
    """Say how urgent *record* is; 0 as it becomes due, below 0 before."""
    return (now - record.due_at).total_seconds() * rate(record)


def in_words(record: LedgerPath, now: datetime) -> str:
    """Say why *record* is as urgent as it is."""
    target = duration_text(timedelta(seconds=record.target_s))
    wait = now - record.due_at
    if wait < timedelta(0):
        due = f"due in {duration_text(-wait, units=2)}"
    else:
        due = f"due for {duration_text(wait, units=2)}"
    more = "".join(
        f"; {reason.times} times as urgent because {reason.words}" for reason in reasons(record)
    )
    return f"{due} with a target of {target}{more}"
