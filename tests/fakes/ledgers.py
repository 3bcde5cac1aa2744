"""Paths of a ledger, and drills that end on them."""

from datetime import datetime, timedelta

from chaos.gateway.topology import Trigger
from chaos.judge.verdict import Outcome
from chaos.scenario.scenario import FallbackPath
from supervisor.coverage.ledger import Ended, Wish, first_seen
from supervisor.store.records import DrillEntry
from tests.fakes.manual_clock import NOON
from tests.fakes.rows import row

DAY_S = 86_400.0


def path(group="claude", hop="gemma", *, shape="chat", stream=False, surface="chat_completions"):
    """Name a path of *group*."""
    return FallbackPath(group, Trigger.GENERAL, hop, surface, shape, stream)


def wish(target_s=DAY_S, *, critical=False, faults=4, fingerprint="f"):
    """Say what the settings ask of a path."""
    return Wish(target_s, critical, faults, fingerprint)


def new_path(which=None, *, at=NOON, **changes):
    """Begin the record of a path."""
    return first_seen(which or path(), wish(**changes), at)


def ended(fault="billing", outcome=Outcome.PASSED, *, after_s=0.0, **changes):
    """Let a drill end so many seconds after noon."""
    name = f"{fault}-{after_s:g}"
    return Ended(name, fault, outcome, NOON + timedelta(seconds=after_s), **changes)


_KEPT = ("seen", "faults", "campaign", "accepted_until")


def entry(name="d1", which=None, *, at: datetime = NOON, fault="billing", **changes):
    """Make a drill that ended *at*, to be written down; passed, unless a kind is given."""
    which = which or path()
    kept = {key: changes.pop(key) for key in _KEPT if key in changes}
    kept = {"faults": ("billing", "rate_limit"), **kept}
    made = row(
        which.group, which.hop, fault=fault, shape=which.shape, stream=which.stream, **changes
    )
    made = made.model_copy(update={"id": name, "started_at": at - timedelta(seconds=1)})
    return DrillEntry(path=which, row=made, ended_at=at, **kept)
