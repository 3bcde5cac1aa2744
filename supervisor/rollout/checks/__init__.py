"""What cannot work, found before anything is touched: one question a file.

To add one: a new file here with ``check(facts)``, which yields findings, and its name below.
They are asked in this order.
"""

from collections.abc import Callable, Iterable

from supervisor.rollout.checks import (
    baseline,
    container,
    flags,
    image,
    model,
    mounts,
    patches,
    place,
    promises,
    room,
    values,
)
from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Finding

Check = Callable[[RolloutFacts], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    container.check,
    values.check,
    image.check,
    mounts.check,
    flags.check,
    promises.check,
    model.check,
    patches.check,
    place.check,
    room.check,
    baseline.check,
)


def findings_of(facts: RolloutFacts) -> tuple[Finding, ...]:
    """Ask every question."""
    return tuple(finding for check in CHECKS for finding in check(facts))
