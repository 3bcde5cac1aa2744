"""What the daemon has to say of itself."""

from collections.abc import Iterator
from datetime import timedelta

from supervisor.alerts.rule import AlertRule, Condition
from supervisor.status import FELT, Status
from supervisor.store.alerts.records import Severity

TEST = "UnderstudyTest"
WATCHDOG = "Watchdog"
BROKEN_AFTER = timedelta(minutes=5)
"""A notifier that could not be reached for so long is broken; one that refuses, at once."""


def _collateral(status: Status) -> Iterator[Condition]:
    halt = status.halt
    if halt is not None and halt.reason.startswith(FELT):
        yield Condition(
            since=halt.since,
            summary="other traffic has felt a drill, and drills are halted",
            description=f"{halt.reason}\nFind out why before you go on: understudy resume",
        )


def _rejected(status: Status) -> Iterator[Condition]:
    trouble = status.condition.reload_trouble
    if trouble is not None:
        yield Condition(
            summary="the new configuration was refused, and the old one holds",
            description=f"{trouble}\nCheck it: understudy config check",
        )


def _notifier(status: Status) -> Iterator[Condition]:
    for name, why in status.condition.broken_notifiers.items():
        yield Condition(
            labels={"notifier": name},
            summary=f"the notifier {name!r} cannot be used",
            description=f"{why}\nMend it, reload the daemon, and try: understudy alerts test",
        )
    for name, one in status.notifiers.items():
        if name not in status.condition.notifiers or name in status.condition.broken_notifiers:
            continue  # What is left of one that the configuration names no more tells nothing.
        refused = one.last_result in ("authError", "clientError")
        waits = timedelta(0) if one.waiting_since is None else status.at - one.waiting_since
        stuck = one.tries > 0 and waits >= BROKEN_AFTER
        if refused or stuck:
            since = one.last_at if refused else one.waiting_since
            yield Condition(
                labels={"notifier": name},
                since=since,
                summary=f"the notifier {name!r} takes nothing: {one.last_result}",
                description=f"{one.last_detail}\n{one.waiting} wait, {one.dead} were given up. "
                "Mend it, and try: understudy alerts test",
            )


def _halted(status: Status) -> Iterator[Condition]:
    halt = status.halt
    if halt is not None:
        until = "somebody resumes" if halt.until is None else f"{halt.until:%F %T} UTC"
        yield Condition(
            since=halt.since,
            summary=f"nothing is drilled until {until}: {halt.reason}",
            description="understudy resume",
        )


def _always(status: Status) -> Iterator[Condition]:
    yield Condition(
        since=status.condition.started_at,
        summary="this alert always fires: the way to you works",
        description="If it stops coming, the daemon or the way to you is broken.",
    )


def _tests(status: Status) -> Iterator[Condition]:
    for test in status.condition.tests:
        if status.at < test.until:
            yield Condition(
                labels={"test": test.id},
                since=test.since,
                summary="a test that somebody asked for; nothing is wrong",
                description="understudy alerts test",
            )


RULES = (
    AlertRule("DrillCollateral", Severity.PAGE, _collateral),
    AlertRule("ConfigRejected", Severity.TICKET, _rejected),
    AlertRule("NotifierBroken", Severity.TICKET, _notifier),
    AlertRule("Halted", Severity.INFO, _halted),
    AlertRule(WATCHDOG, Severity.INFO, _always),
    AlertRule(TEST, Severity.INFO, _tests),
)
