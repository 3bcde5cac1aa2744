"""Does other traffic feel the drills? The gateway's model list is compared while they run."""

from chaos.drill.drill import Refusal
from chaos.errors import GatewayError
from chaos.gateway.client import Gateway, ModelIds
from chaos.judge.check import Kind

EVERY = 20
"""The list is read after the first drill and then after every so many."""


class CollateralWatch:
    """Looks at the gateway's model list after the first drill, every twentieth, and the last.

    Attributes:
        found: What changed for others, one sentence each, once that was seen.
    """

    def __init__(self, gateway: Gateway, before: ModelIds) -> None:
        self.found: tuple[str, ...] = ()
        self._gateway = gateway
        self._before = before
        self._asked = 0

    @classmethod
    async def since_now(cls, gateway: Gateway) -> "CollateralWatch":
        """Compare with the list as it is now.

        Raises:
            GatewayError: The gateway cannot be asked.
        """
        return cls(gateway, await gateway.model_ids())

    async def after_drill(self) -> tuple[str, ...]:
        """Look, if it is time to."""
        self._asked += 1
        return await self.look() if self._asked % EVERY == 1 else ()

    async def look(self) -> tuple[str, ...]:
        """Look now."""
        try:
            after = await self._gateway.model_ids()
        except GatewayError:
            # A gateway that has gone says nothing about others; the drill itself shows that.
            return ()
        self.found = self._gateway.changes(self._before, after)
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
