"""What an engine has to show before it is accepted: one gate a file, asked in this order.

To add one: a new file here with ``async def gate(swap)``, which yields findings, and its name
below. A gate that cannot tell says so; only one that is refused puts everything back.
"""

from collections.abc import Awaitable, Callable, Sequence

from supervisor.rollout.exchange.gates import (
    canary,
    capacity,
    first_token,
    gateway,
    log,
    model,
    speed,
    tool_call,
)
from supervisor.rollout.exchange.running import Swapping
from supervisor.rollout.finding import Finding

Gate = Callable[[Swapping], Awaitable[Sequence[Finding]]]

GATES: tuple[Gate, ...] = (
    model.gate,
    log.gate,
    capacity.gate,
    first_token.gate,
    tool_call.gate,
    canary.gate,
    gateway.gate,
    speed.gate,
)

WAY_BACK: tuple[Gate, ...] = (model.gate, first_token.gate, tool_call.gate, gateway.gate)
"""What an engine has to show that served before."""
