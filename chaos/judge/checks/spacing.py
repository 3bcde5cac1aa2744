"""Did the gateway leave time between its attempts, and as much as a hop asked for?

What a provider does with clients that hammer it (longer limits, a blocked key) no drill can show,
so the spacing itself is judged. Where the wire does not tell the deployments of a group apart,
the next attempt may have been at another one, and only a burst too large for all of them counts.

Source of the limit: failoverbench, scenario S02, methodology 0.1.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from chaos.judge.check import Check, Finding, Kind, Where, failed, passed
from chaos.judge.evidence import at_hop
from chaos.judge.observation import Observation
from chaos.scenario.plan import DrillPlan, PlannedHop
from chaos.witness.wire_record import WireRecord

NAME = "spacing"
MOST_IN_A_BURST = 4
BURST_S = 3.0
EARLY_RATIO = 0.9
"""Who comes back after nine tenths of the time has waited: clocks and jitter are not counted."""


def judge(plan: DrillPlan, seen: Observation) -> Finding:
    """Look at the pauses between the live attempts at each hop."""
    for hop in plan.hops:
        for many, records in _by_upstream(hop, seen):
            if many == 1 and (early := _early(records)) is not None:
                told_s, waited_s = early
                return _hammered(
                    hop,
                    f"{hop.group} asked to be left alone for {told_s:g} s (Retry-After), and was "
                    f"asked again after {waited_s:.1f} s.",
                )
            count = _burst(records)
            if count > MOST_IN_A_BURST * many:
                return _hammered(
                    hop, f"{hop.group} was asked {count} times within {BURST_S:g} seconds."
                )
    return passed(NAME, "The attempts at each hop left time between them.")


def _by_upstream(hop: PlannedHop, seen: Observation) -> Iterator[tuple[int, Sequence[WireRecord]]]:
    """Group the attempts by deployment; those that may be at several come together.

    Yields:
        How many deployments they may be at, and the attempts.
    """
    found: dict[str | None, list[WireRecord]] = {}
    for record in at_hop(seen, hop.group):
        known = record.deployment if len(hop.deployments) > 1 else hop.group
        found.setdefault(known, []).append(record)
    for deployment, records in found.items():
        yield (len(hop.deployments) if deployment is None else 1), records


def _early(records: Sequence[WireRecord]) -> tuple[float, float] | None:
    """Find an attempt before its time: what was asked for, and what was waited, in seconds."""
    for one, following in pairwise(records):
        told_s = one.retry_after_s
        waited_s = following.started_at_s - one.ended_at_s
        if told_s is not None and waited_s < told_s * EARLY_RATIO:
            return told_s, max(waited_s, 0.0)
    return None


def _burst(records: Sequence[WireRecord]) -> int:
    """Count the most attempts within any ``BURST_S`` seconds.

    A connection that broke and the HTTP client's repetition of it count as one.
    """
    counts = []
    for place, first in enumerate(records):
        together = [r for r in records[place:] if r.started_at_s - first.started_at_s < BURST_S]
        broken = sum(record.status is None and not record.caller_left for record in together)
        counts.append(len(together) - broken // 2)
    return max(counts, default=0)


def _hammered(hop: PlannedHop, what: str) -> Finding:
    return failed(
        NAME,
        Kind.HAMMERED,
        what,
        where=Where.GATEWAY,
        hop=hop.group,
        remedy="Providers answer that with longer limits. Retry less (num_retries, retry_policy: "
        "RateLimitErrorRetries), and let the chain serve instead.",
    )


SPACING = Check(NAME, "No hop was asked again sooner than it wanted, or in a burst.", judge)
