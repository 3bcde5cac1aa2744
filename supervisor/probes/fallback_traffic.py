"""Which groups users are served on a fallback, by the gateway's own counters. Pure.

Our drills fall back as well, on purpose, and LiteLLM's fallback counters name only the caller's
key. A rise is the users' own where the key cannot be ours; where it may be, only if failures of
requests that were not ours rose with it, or LiteLLM had no deployment left to ask, to which no
drill can bring it: a drill has deployments of its own. Where drills and users fell back between
the same two looks, the users' are those with the same error as the failures that were not ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from chaos.gateway.fallback_counts import MASTER_KEY, Failure, Fallback, FallbackCounts

NONE_LEFT = ("RouterRateLimitError", "NoDeploymentsError", "no deployments available")
"""LiteLLM's words for a group whose deployments are all cooled down."""

K = TypeVar("K")

MOST_PROCESSES = 16
"""Of a gateway with several workers, each of which counts for itself."""


@dataclass(frozen=True, slots=True)
class OnFallback:
    """A group whose users are served by a fallback.

    Attributes:
        hop: That served last.
        since: When the first of these fallbacks was seen, ...
        last_at: ... and the last one.
        count: How many were seen since then.
        exhausted: How many of the fallbacks failed as well.
    """

    group: str
    hop: str
    since: datetime
    last_at: datetime
    status: str
    exception: str
    count: int = 0
    exhausted: int = 0


@dataclass(slots=True)
class FallbackTraffic:
    """What was seen of real fallbacks so far.

    Args:
        own_key: Hash of the key that sends drills.
        quiet: Without a fallback for so long, a group is on its primary again.
    """

    own_key: str
    quiet: timedelta
    _known: dict[float | None, FallbackCounts] = field(default_factory=dict)
    _running: dict[str, OnFallback] = field(default_factory=dict)

    def note(self, counts: FallbackCounts, now: datetime) -> None:
        """Compare with the look before; the first of each process is only remembered."""
        before = self._known.pop(counts.process, None)
        self._known[counts.process] = counts
        while len(self._known) > MOST_PROCESSES:
            del self._known[next(iter(self._known))]
        if before is None:
            return
        failed = _risen(before.failed, counts.failed)
        for series, rise in self._real(_risen(before.served, counts.served), failed).items():
            self._add(series, now, count=rise, exhausted=0)
        for series, rise in self._real(_risen(before.exhausted, counts.exhausted), failed).items():
            self._add(series, now, count=0, exhausted=rise)

    def running(self, now: datetime) -> tuple[OnFallback, ...]:
        """List the groups whose users are on a fallback, and forget those that were not lately."""
        for group in [g for g, one in self._running.items() if now - one.last_at >= self.quiet]:
            del self._running[group]
        return tuple(self._running[group] for group in sorted(self._running))

    def _real(
        self, risen: Mapping[Fallback, int], failed: Mapping[Failure, int]
    ) -> dict[Fallback, int]:
        """Leave out what drills have done."""
        groups = {one.group for one in failed}
        perhaps = [one for one in risen if self._may_be_ours(one) and one.group in groups]
        same = [one for one in perhaps if Failure(one.group, one.status, one.exception) in failed]
        told = {one.group for one in same}
        # A group whose errors match none is named all the same: better that than silence.
        users = {*same, *(one for one in perhaps if one.group not in told)}
        return {
            one: rise for one, rise in risen.items() if one in users or not self._may_be_ours(one)
        }

    def _may_be_ours(self, series: Fallback) -> bool:
        if series.key not in (self.own_key, MASTER_KEY, "", "None"):
            return False
        return not any(words in series.exception for words in NONE_LEFT)

    def _add(self, series: Fallback, now: datetime, *, count: int, exhausted: int) -> None:
        before = self._running.get(series.group)
        if before is None or now - before.last_at >= self.quiet:
            before = OnFallback(series.group, series.hop, now, now, "", "")
        self._running[series.group] = replace(
            before,
            hop=series.hop,
            last_at=now,
            status=series.status,
            exception=series.exception,
            count=before.count + count,
            exhausted=before.exhausted + exhausted,
        )


def _risen(before: Mapping[K, float], after: Mapping[K, float]) -> dict[K, int]:
    """Tell by how much each count rose; one that fell belongs to nobody we know."""
    risen = {key: int(value - before.get(key, 0)) for key, value in after.items()}
    return {key: rise for key, rise in risen.items() if rise > 0}
