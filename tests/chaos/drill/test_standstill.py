"""How long this process stood still."""

import asyncio
import time

from chaos.drill import standstill
from chaos.drill.standstill import Standstill

STILL_S = 0.5


async def test_a_standstill_is_measured():
    """Also one that ends with the context, before the loop has come back."""
    with Standstill() as measured:
        time.sleep(standstill.EVERY_S + STILL_S)  # noqa: ASYNC251 -- this is what is measured
    assert measured.longest_s >= STILL_S


async def test_a_standstill_in_the_middle_is_remembered():
    """Whatever runs on time afterwards."""
    with Standstill() as measured:
        time.sleep(standstill.EVERY_S + STILL_S)  # noqa: ASYNC251 -- likewise
        await asyncio.sleep(2 * standstill.EVERY_S)
    assert measured.longest_s >= STILL_S


async def test_waiting_is_no_standstill():
    """A drill waits for its gateway most of the time; nothing is left behind on the loop."""
    began_s = time.monotonic()
    with Standstill() as measured:
        await asyncio.sleep(2 * standstill.EVERY_S)
    # On a slow machine too: what was waited for is no part of it.
    assert measured.longest_s <= time.monotonic() - began_s - standstill.EVERY_S
    assert measured._timer is not None
    assert measured._timer.cancelled()
