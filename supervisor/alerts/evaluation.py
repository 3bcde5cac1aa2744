"""Every rule over one snapshot, and who is told what comes of it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase

from supervisor.alerts.rule import AlertRule
from supervisor.alerts.rules import RULES
from supervisor.alerts.rules.own import TEST, WATCHDOG
from supervisor.alerts.step import Policy, step
from supervisor.settings.alerting import AlertSettings, NotifierSettings
from supervisor.status import Status
from supervisor.store.alerts.records import AlertChange, AlertState, Phase, Severity, Silence


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one snapshot makes of all alerts.

    Attributes:
        states: Every alert that is pending or fires now.
        written: Those whose state has changed, those that are resolved among them.
        changes: What is to be told, each with the notifiers that tell it.
    """

    states: tuple[AlertState, ...]
    written: tuple[AlertState, ...]
    changes: tuple[tuple[AlertChange, tuple[str, ...]], ...]


def evaluate(
    states: Iterable[AlertState],
    status: Status,
    now: datetime,
    *,
    settings: AlertSettings,
    notifiers: Mapping[str, NotifierSettings],
    new_id: Callable[[], str],
    rules: Sequence[AlertRule] = RULES,
) -> Evaluation:
    """Advance every alert by one snapshot."""
    before = {state.fingerprint: state for state in states}
    after: list[AlertState] = []
    changes: list[AlertChange] = []
    for rule in rules:
        own = {name: state for name, state in before.items() if state.name == rule.name}
        policy = policy_of(rule, settings, status.silences, now, new_id)
        seen, told = step(_wanted(rule, settings), policy, own, status, now)
        after += seen
        changes += told
    written = [state for state in after if before.get(state.fingerprint) != state]
    # Alerts of an earlier version, which no rule speaks for any more.
    known = {rule.name for rule in rules}
    written += [
        replace(state, phase=Phase.RESOLVED, ends_at=now)
        for state in before.values()
        if state.name not in known
    ]
    return Evaluation(
        states=tuple(state for state in after if state.phase is not Phase.RESOLVED),
        written=tuple(written),
        changes=tuple((change, told_by(change, notifiers)) for change in changes),
    )


def _wanted(rule: AlertRule, settings: AlertSettings) -> AlertRule:
    """Take a rule that the settings switch off for one that finds nothing: what fires, ends."""
    own = settings.rules.get(rule.name)
    if own is None or own.enabled:
        return rule
    return replace(rule, find=lambda _: (), unjudged=lambda _: False)


def policy_of(
    rule: AlertRule,
    settings: AlertSettings,
    silences: Iterable[Silence],
    now: datetime,
    new_id: Callable[[], str],
) -> Policy:
    """Say how a rule is told as the settings want it."""
    own = settings.rules.get(rule.name)
    holding = [one for one in silences if now < one.until]

    def silenced(labels: Mapping[str, str]) -> str | None:
        return next((one.reason for one in holding if one.covers(labels)), None)

    return Policy(
        severity=severity_of(rule, settings),
        hold=own.hold if own is not None and own.hold is not None else rule.hold,
        remind_every=settings.watchdog_every if rule.name == WATCHDOG else settings.remind_every,
        silenced=silenced,
        new_id=new_id,
    )


def severity_of(rule: AlertRule, settings: AlertSettings) -> Severity:
    """Say how urgent an alert is, as the settings want it."""
    own = settings.rules.get(rule.name)
    return Severity(own.severity) if own is not None and own.severity else rule.severity


def told_by(change: AlertChange, notifiers: Mapping[str, NotifierSettings]) -> tuple[str, ...]:
    """Name the notifiers that tell *change*."""
    if change.silence is not None:
        return ()
    return tuple(name for name, one in notifiers.items() if _gets(one, change, name))


def _gets(notifier: NotifierSettings, change: AlertChange, name: str) -> bool:
    human = notifier.apprise is not None
    if change.name == TEST:
        return True
    if change.reason == "repeat" and not notifier.reminders and change.name != WATCHDOG:
        return False
    if change.name == WATCHDOG:
        # Never to people, unless they ask for it.
        return notifier.watchdog if notifier.watchdog is not None else not human
    if change.name == "NotifierBroken" and change.labels.get("notifier") == name:
        return False  # It could not tell.
    if notifier.only and not any(fnmatchcase(change.name, one) for one in notifier.only):
        return False
    wanted = notifier.severities or (("page", "ticket") if human else ())
    return not wanted or change.severity.value in wanted
