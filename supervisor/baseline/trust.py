"""May a run be counted? Pure: each reason is a sentence for people.

Measured on a loaded machine: a client that is handed its chunks in bursts saw 77,705 tokens a
second where the engine generated 239, and ``vllm bench serve`` was off by 30 %.
"""

import statistics
from collections.abc import Sequence

from supervisor.baseline.counters import Counters
from supervisor.baseline.record import EngineFigures
from supervisor.baseline.stream import Timed

LEAST_TOKENS = 128
"""Below this a single token more or less is a difference of a percent."""

MOST_DEVIATION_RATIO = 0.03
"""Between the client's figure and the engine's; so much is scheduling, more is not."""

TINY_GAP_RATIO = 0.1
MOST_TINY_RATIO = 0.05
LATE_FIRST_RATIO = 3.0


def doubts(
    replies: Sequence[Timed],
    before: Counters,
    after: Counters,
    engine: EngineFigures,
    boot_s: float | None = None,
) -> tuple[str, ...]:
    """List why the run of these replies cannot be counted; nothing if it can.

    Args:
        boot_s: When the engine was started that the benchmark is of, in seconds since 1970.
    """
    found: list[str] = []
    if before.others:
        found.append(f"other traffic: {before.others} requests were there before")
    if _restarted(before.started_at_s, after.started_at_s) or _restarted(
        boot_s, after.started_at_s
    ):
        found.append("the engine was started anew meanwhile")
        return tuple(found)
    if after.others:
        found.append(f"other traffic: {after.others} requests were there afterwards")
    asked = [one.prompt_tokens for one in replies]
    ours = sum(count or 0 for count in asked)
    if engine.prompt_tokens is not None and None not in asked and engine.prompt_tokens > ours:
        found.append(
            f"other traffic: the engine took in {engine.prompt_tokens} tokens, {ours} of them ours"
        )
    if any(one.tokens is None for one in replies):
        found.append("it sent no usage, so nobody knows how many tokens these are")
    else:
        tokens = sum(one.tokens or 0 for one in replies)
        few = min(one.tokens or 0 for one in replies)
        if few < LEAST_TOKENS:
            found.append(f"too few tokens: {few}, at least {LEAST_TOKENS} are needed")
        if engine.tokens is not None and engine.tokens != tokens:
            found.append(
                f"other traffic: the engine generated {engine.tokens} tokens, {tokens} of them here"
            )
    if engine.preemptions:
        found.append(f"the engine broke off and began anew {engine.preemptions} times")
    burst = _burst(replies, engine)
    if burst:
        found.append(burst)
    return tuple(found)


def _restarted(was_s: float | None, is_s: float | None) -> bool:
    """Two starts, both known: a page of metrics that was not answered is no restart."""
    return was_s is not None and is_s is not None and was_s != is_s


def _burst(replies: Sequence[Timed], engine: EngineFigures) -> str:
    """Say that chunks did not arrive as they were made; empty if they did."""
    speeds = [1 / one.itl_s for one in replies if one.itl_s]
    if len(speeds) < len(replies):
        return "burst arrival: everything came at once"
    if engine.decode_tps is not None:
        client = statistics.harmonic_mean(speeds)
        deviation = client / engine.decode_tps - 1
        if abs(deviation) > MOST_DEVIATION_RATIO:
            return (
                f"burst arrival: {client:.1f} tokens a second here, {engine.decode_tps:.1f} by the "
                f"engine's counters ({deviation:+.1%})"
            )
        return ""
    for one in replies:
        gaps = one.gaps_s
        if len(gaps) < 2:
            return "burst arrival: the text came in one or two chunks"
        mean = statistics.mean(gaps)
        usual = statistics.median(gaps) or mean
        tiny = sum(gap < TINY_GAP_RATIO * usual for gap in gaps) / len(gaps)
        late = one.arrivals_s[0] > LATE_FIRST_RATIO * mean
        if (tiny > MOST_TINY_RATIO and late) or statistics.median(gaps) < TINY_GAP_RATIO * mean:
            return f"burst arrival: {tiny:.0%} of the chunks came together with another one"
    return ""
