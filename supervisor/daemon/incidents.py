"""Real incidents, as the gateway's own metrics show them. Pure.

No chain is drilled that real traffic needs just now. A drill has deployments of its own in
LiteLLM's metrics, and our requests name themselves, so what rises here is the users' own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chaos.gateway.other_traffic import OtherTraffic

QUIET = timedelta(minutes=5)
"""Without a failure of real traffic, until drills of its chain go on."""


@dataclass(slots=True)
class Incidents:
    """What failed for users lately, by model group."""

    _before: OtherTraffic | None = None
    _last: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def note(self, seen: OtherTraffic, now: datetime) -> None:
        """Compare with the look before."""
        before, self._before = self._before, seen
        if before is None:
            return
        for identity, listed in seen.deployments.items():
            for counted, words in (("failed", "failed"), ("cooled", "was cooled down")):
                rose = getattr(seen, counted).get(identity, 0) - getattr(before, counted).get(
                    identity, 0
                )
                if rose > 0:
                    times = "once" if rose == 1 else f"{rose:.0f} times"
                    self._last[listed.group] = (now, f"{listed.group} {words} {times} for users")

    def of(self, groups: Iterable[str], now: datetime) -> str | None:
        """Say what has failed for users in one of *groups* lately; None if nothing has."""
        for group in groups:
            at, words = self._last.get(group, (None, ""))
            if at is not None and abs(now - at) < QUIET:
                return f"{words} at {at:%H:%M:%S} UTC"
        return None
