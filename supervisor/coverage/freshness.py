"""When a path is due, late and stale. Pure; times are aware, durations in seconds.

    pass ──────── due ── late ─────── stale
    0           3/4 target  target   2 targets

A path is due before it is late, so that one that holds is never shown as late; and sooner still
where its faults would not all have their turn within a week.
"""

from datetime import datetime, timedelta

DUE_SHARE = 0.75
"""Of the target: the rest is for waiting, for a busy engine say."""

STALE_TARGETS = 2.0
"""Targets without a pass, after which nothing is taken for proven."""

ROUND_S = 7 * 86_400.0
"""Within it every fault that applies is tried on every path."""

RETRY_S = 900.0
"""A path that failed is drilled again after this at the latest, so that its recovery shows."""

FIRST_PAUSE_S = 60.0
"""After a drill that proved nothing; twice as long after each more."""


def turn_s(target_s: float, faults: int) -> float:
    """Say how long after one drill of a path the next is due."""
    return min(target_s * DUE_SHARE, ROUND_S * DUE_SHARE / max(1, faults))


def due_after_verdict(at: datetime, target_s: float, faults: int, *, failed: bool) -> datetime:
    """Say when a path is due that passed or failed *at* then."""
    wait_s = turn_s(target_s, faults)
    return at + timedelta(seconds=min(wait_s, RETRY_S) if failed else wait_s)


def due_after_nothing(at: datetime, target_s: float, faults: int, misses: int) -> datetime:
    """Say when a path is due whose last *misses* drills proved nothing."""
    pause_s = FIRST_PAUSE_S * 2.0 ** min(max(0, misses - 1), 20)
    return at + timedelta(seconds=min(turn_s(target_s, faults), pause_s))


def late_at(passed_at: datetime, target_s: float) -> datetime:
    """Say when a path is late whose last pass was *passed_at*."""
    return passed_at + timedelta(seconds=target_s)


def stale_at(passed_at: datetime, target_s: float) -> datetime:
    """Say when a path is stale whose last pass was *passed_at*."""
    return passed_at + timedelta(seconds=target_s * STALE_TARGETS)
