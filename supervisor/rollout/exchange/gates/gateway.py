"""Through the gateway it serves what falls back to it, with every hop before it made to fail."""

from collections.abc import Sequence

from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Answer, Finding

ASKED = "through the gateway, with the hops before it made to fail, it serves, tool calls included"


async def gate(swap: Swapping) -> Sequence[Finding]:
    """Drill it."""
    if swap.through_gateway is None:
        return [Finding("gateway", Answer.UNKNOWN, ASKED, "no gateway is named")]
    return [await swap.through_gateway()]
