"""The gateway as it is now: opened as the settings say, read, and brought into the ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from chaos.clock import Clock
from chaos.drill.driller import MayRun
from chaos.gateway.client import Gateway
from chaos.gateway.topology import Topology
from chaos.rehearsal import Rehearsal
from chaos.witness.server import Witness
from supervisor.campaign.connection import connected
from supervisor.campaign.request import DrillRequest, rehearsal_options
from supervisor.coverage.rehearsed import rehearsed_paths
from supervisor.settings.client_profile import load_profile
from supervisor.settings.model import Settings
from supervisor.store.store import Store

log = structlog.get_logger()


@dataclass(slots=True)
class OpenGateway:
    """A gateway, open as one version of the settings says.

    Attributes:
        topology: As it was read last; None before.
        read_at_s: When that was, monotonic.
    """

    gateway: Gateway
    settings: Settings
    witness: Witness
    guard: MayRun
    clock: Clock
    topology: Topology | None = None
    read_at_s: float = 0.0
    _stack: AsyncExitStack | None = None
    _rehearsal: Rehearsal | None = None

    @property
    def fresh(self) -> bool:
        """It was read a moment ago."""
        period_s = self.settings.daemon.read_gateway_every.total_seconds()
        return self.topology is not None and self.clock.monotonic() - self.read_at_s < period_s

    async def read(self, store: Store) -> int:
        """Read the gateway, and bring the ledger up to it.

        Returns:
            How many paths are due because they are new, back or changed.

        Raises:
            GatewayError: It cannot be asked; the ledger stays as it is.
            StoreError: The ledger cannot be written.
        """
        topology = await self.gateway.topology()
        if topology == self.topology:
            self.read_at_s = self.clock.monotonic()
            return 0
        # Thousands of groups take a while, and the loop must not stand still.
        wanted = await asyncio.to_thread(rehearsed_paths, topology, self.settings.rehearse)
        anew = await store.sync(wanted)
        await self.close_rehearsal()
        self.topology, self.read_at_s = topology, self.clock.monotonic()
        log.info(
            "gateway.read",
            litellm=topology.litellm_version,
            groups=len(topology.groups),
            paths=len(wanted),
            anew=anew,
        )
        return anew

    def forget(self) -> None:
        """Read it again before the next drill."""
        self.read_at_s = -1e9

    async def rehearsal(self, say: Callable[[str], None]) -> Rehearsal:
        """Open a rehearsal of the gateway as it was read, or give the one that is open.

        Raises:
            UsageError: Nothing can be drilled as the settings say.
            GatewayError: The gateway cannot be asked.
            SetupError: A twin did not come up.
        """
        if self._rehearsal is None:
            stack = AsyncExitStack()
            self._rehearsal = await stack.enter_async_context(
                Rehearsal.opened(
                    self.gateway,
                    rehearsal_options(self.settings, self._request()),
                    witness=self.witness,
                    guard=self.guard,
                    clock=self.clock,
                    say=say,
                )
            )
            self._stack = stack
        return self._rehearsal

    def _request(self) -> DrillRequest:
        """Ask as the clients of each group do."""
        groups = (*self.topology.groups, *self.topology.other_names) if self.topology else ()
        profiles = {group: self.settings.rehearse.of(group).profile for group in groups}
        return DrillRequest(
            group_profiles={g: load_profile(file) for g, file in profiles.items() if file}
        )

    async def close_rehearsal(self) -> None:
        """Close the rehearsal: the next drill opens one of the gateway as it is then."""
        stack, self._stack, self._rehearsal = self._stack, None, None
        if stack is not None:
            await stack.aclose()


Connect = Callable[[Settings], AbstractAsyncContextManager[Gateway]]
"""Opens the gateway of the settings."""


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    witness: Witness,
    guard: MayRun,
    clock: Clock,
    connect: Connect = connected,
) -> AsyncIterator[OpenGateway]:
    """Open the gateway of *settings* until exit; nothing is asked yet.

    Raises:
        UsageError: The settings name no gateway or no key.
    """
    async with connect(settings) as gateway:
        one = OpenGateway(gateway, settings, witness, guard, clock)
        try:
            yield one
        finally:
            await one.close_rehearsal()
