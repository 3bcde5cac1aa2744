"""Does other traffic feel the drills? The gateway is looked at while they run."""

from collections.abc import Sequence

from chaos.drill.drill import Refusal
from chaos.errors import GatewayError
from chaos.gateway.client import Gateway
from chaos.gateway.other_traffic import OtherTraffic, felt
from chaos.judge.check import Kind

EVERY = 20
"""The gateway is looked at after the first drill and then after every so many."""


class CollateralWatch:
    """Looks at model list and metrics after the first drill, every twentieth, and the last.

    Args:
        before: The gateway as it was before the drills.
        lanes: Addresses of the witness.

    Attributes:
        found: What others felt, one sentence each, once that was seen.
    """

    def __init__(self, gateway: Gateway, before: OtherTraffic, lanes: Sequence[str]) -> None:
        self.found: tuple[str, ...] = ()
        self._gateway = gateway
        self._before = before
        self._lanes = lanes
        self._asked = 0

    @classmethod
    async def since_now(cls, gateway: Gateway, lanes: Sequence[str]) -> "CollateralWatch":
        """Compare with the gateway as it is now.

        Raises:
            GatewayError: It cannot be asked.
        """
        return cls(gateway, await gateway.other_traffic(), lanes)

    async def after_drill(self) -> tuple[str, ...]:
        """Look, if it is time to."""
        self._asked += 1
        return await self.look() if self._asked % EVERY == 1 else ()

    async def look(self) -> tuple[str, ...]:
        """Look now."""
        try:
            after = await self._gateway.other_traffic()
        except GatewayError:
            # A gateway that has gone says nothing about others; the drill itself shows that.
            return ()
        self.found = felt(self._before, after, self._lanes)
        return self.found

    def refusal(self) -> Refusal | None:
        """Refuse every further drill once others have felt one."""
        if not self.found:
            return None
        return Refusal(
            Kind.HALTED,
            f"other traffic felt an earlier drill: {self.found[0]}",
            "Restart the gateway, or see that its model list is what it was, and drill a twin "
            "(--injector twin).",
        )
