"""How long tests wait: for an event as long as it takes, in a drill as long as this machine needs.

No test judges by the clock. Where a limit is part of what is tested (a deadline, a hang), it is
scaled by how slow this machine is at that moment, so that what works keeps it and what hangs
does not.
"""

import asyncio
import time
from collections.abc import Callable

import aiohttp

PATIENCE_S = 600.0
"""For events that come: nothing that works takes this long, on any machine."""

_ROUNDS = 100_000
_QUIET_S = 0.004
"""What ``_ROUNDS`` take on a quiet machine."""

QUIET_REPLY_S = 0.1
"""A reply through LiteLLM with all its parts on a quiet machine takes less."""


def slowness() -> float:
    """Measure how many times slower this machine is than a quiet one; at least 1."""
    longest_s = 0.0
    for _ in range(5):
        began_s = time.perf_counter()
        for _ in range(_ROUNDS):
            pass
        longest_s = max(longest_s, time.perf_counter() - began_s)
    return max(1.0, longest_s / _QUIET_S)


async def reply_time_s(url: str, key: str, group: str, *, at_once: int = 4) -> float:
    """Measure an undisturbed reply of *group*: the slowest of a few that are asked at once."""
    body = {"model": group, "messages": [{"role": "user", "content": "Hello"}]}
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    headers = {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:

        async def one() -> float:
            began_s = time.perf_counter()
            async with session.post(f"{url}/v1/chat/completions", json=body) as reply:
                await reply.read()
            return time.perf_counter() - began_s

        await one()  # the first of all loads what LiteLLM loads late
        return max(await asyncio.gather(*(one() for _ in range(at_once))))


def scaled(seconds: float, reply_s: float, *, at_most: float | None = None) -> float:
    """Lengthen a drill's deadline on a machine whose replies take *reply_s*.

    Args:
        at_most: Where what is too late takes a fixed time, so that a longer deadline would miss it.
    """
    longer = seconds * max(1.0, reply_s / QUIET_REPLY_S)
    return max(seconds, longer if at_most is None else min(longer, at_most))


def wait_for(holds: Callable[[], object]) -> None:
    """Wait until something is so, where there is no loop."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "it has not come"
        time.sleep(0.05)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something is so, on this loop."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.005)
