"""Which groups users are served on a fallback, by the gateway's own counters. Pure.

Our drills fall back as well, on purpose, and LiteLLM's fallback counters name only the caller's
key. A rise is the users' own where the key cannot be ours, or where LiteLLM had no deployment left
to ask, to which no drill can bring it: a drill has deployments of its own. Otherwise each fallback
is laid to the failure that it followed: first to one of our own requests, then to one of theirs.
LiteLLM counts the failure at once and the fallback only when its reply has ended, so a failure
waits for its fallback beyond the look that saw it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from chaos.gateway.fallback_counts import MASTER_KEY, Failure, Fallback, FallbackCounts

NONE_LEFT = ("RouterRateLimitError", "NoDeploymentsError", "no deployments available")
"""LiteLLM's words for a group whose deployments are all cooled down."""

K = TypeVar("K")

REPLY_WITHIN = timedelta(minutes=2)
"""How long after a failure its fallback is still expected; most failures are only tried again."""

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
class Pending:
    """Failures that no fallback was laid to yet, with when they were seen; oldest first."""

    seen: list[tuple[datetime, Counter[Failure]]] = field(default_factory=list)

    def add(self, failures: Mapping[Failure, int], now: datetime) -> None:
        """Wait for their fallbacks, and for those of older ones no longer."""
        self.seen = [(at, left) for at, left in self.seen if now - at < REPLY_WITHIN]
        self.seen.append((now, Counter(failures)))

    def holds(self, failure: Failure) -> bool:
        """Report whether such a failure waits."""
        return any(left[failure] for _, left in self.seen)

    def take(self, series: Fallback, most: int, *, exact: bool) -> int:
        """Lay fallbacks to failures, of the same error or of any error of the group.

        Returns:
            How many found a failure; at most *most*.
        """
        taken = 0
        for _, left in self.seen:
            for failure in sorted(left):
                if failure == series.failure or (not exact and failure.group == series.group):
                    laid = min(left[failure], most - taken)
                    left[failure] -= laid
                    taken += laid
        return taken


@dataclass(slots=True)
class Worker:
    """One process of the gateway: its last counts, and what failed there."""

    counts: FallbackCounts
    drilled: Pending = field(default_factory=Pending)
    failed: Pending = field(default_factory=Pending)


@dataclass(slots=True)
class FallbackTraffic:
    """What was seen of real fallbacks so far.

    Args:
        own_key: Hash of the key that sends drills.
        quiet: Without a fallback for so long, a group is on its primary again.
    """

    own_key: str
    quiet: timedelta
    _workers: dict[float | None, Worker] = field(default_factory=dict)
    _running: dict[str, OnFallback] = field(default_factory=dict)

    def note(self, counts: FallbackCounts, now: datetime) -> None:
        """Compare with the look before; the first of each process is only remembered."""
        worker = self._workers.pop(counts.process, None)
        known = worker or Worker(counts)
        self._workers[counts.process] = known  # The last that answered is the last to be forgotten.
        while len(self._workers) > MOST_PROCESSES:
            del self._workers[next(iter(self._workers))]
        before, known.counts = known.counts, counts
        known.drilled.add(_risen(before.drilled, counts.drilled), now)
        known.failed.add(_risen(before.failed, counts.failed), now)
        for series, rise in _risen(before.served, counts.served).items():
            self._add(series, now, count=self._of_users(known, series, rise), exhausted=0)
        for series, rise in _risen(before.exhausted, counts.exhausted).items():
            self._add(series, now, count=0, exhausted=self._of_users(known, series, rise))

    def running(self, now: datetime) -> tuple[OnFallback, ...]:
        """List the groups whose users are on a fallback, and forget those that were not lately."""
        for group in [
            g for g, one in self._running.items() if abs(now - one.last_at) >= self.quiet
        ]:
            del self._running[group]
        return tuple(self._running[group] for group in sorted(self._running))

    def _of_users(self, worker: Worker, series: Fallback, rise: int) -> int:
        """Tell how many of these fallbacks no drill has taken."""
        if series.key not in (self.own_key, MASTER_KEY, "", "None"):
            return rise
        if any(words in series.exception for words in NONE_LEFT):
            return rise
        # An error that failed for nobody is named otherwise there: that of a broken stream is.
        exact = worker.drilled.holds(series.failure) or worker.failed.holds(series.failure)
        rest = rise - worker.drilled.take(series, rise, exact=exact)
        return worker.failed.take(series, rest, exact=exact)

    def _add(self, series: Fallback, now: datetime, *, count: int, exhausted: int) -> None:
        if not count and not exhausted:
            return
        before = self._running.get(series.group)
        if before is None or abs(now - before.last_at) >= self.quiet:
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
