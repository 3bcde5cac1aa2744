"""The gateway as it is now: opened as the settings say, read, and brought into the ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import structlog

from chaos.clock import Clock
from chaos.drill.drill import MayRun
from chaos.gateway.client import Gateway
from chaos.gateway.topology import Topology
from chaos.rehearsal import Rehearsal
from chaos.witness.server import Witness
from supervisor.audit.facts import engine_keys
from supervisor.campaign.connection import connected
from supervisor.campaign.engine_names import unknown_engines
from supervisor.campaign.request import DrillRequest, expectations, rehearsal_options
from supervisor.campaign.wildcard_names import ineffective
from supervisor.coverage.rehearsed import rehearsed_paths
from supervisor.daemon.incidents import Incidents
from supervisor.engine.marks import mark_of
from supervisor.settings.client_profile import load_profile
from supervisor.settings.model import Settings
from supervisor.store.store import Store

log = structlog.get_logger()

MARKS = "engine_marks"


@dataclass(slots=True)
class OpenGateway:
    """A gateway, open as one version of the settings says.

    Attributes:
        session: Towards engines.
        topology: As it was read last; None before.
        engines: What tells that an engine is not what it was, by model group.
        read_at_s: When that was, monotonic.
    """

    gateway: Gateway
    session: aiohttp.ClientSession
    settings: Settings
    incidents: Incidents
    witness: Witness
    guard: MayRun
    clock: Clock
    topology: Topology | None = None
    engines: dict[str, str] = field(default_factory=dict)
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
        engines = await self._marks(topology, store)
        self.incidents.note(await self.gateway.other_traffic(), self.clock.now())
        if (topology, engines) == (self.topology, self.engines):
            self.read_at_s = self.clock.monotonic()
            return 0
        # Thousands of groups take a while, and the loop must not stand still.
        wanted = await asyncio.to_thread(
            rehearsed_paths,
            topology,
            self.settings.rehearse,
            engines,
            expectations(self.settings),
        )
        anew = await store.sync(wanted)
        await self.close_rehearsal()
        for name, meant in unknown_engines(self.settings.engines, topology):
            log.warning(
                "engine.unknown", engine=name, group="there is none of this name", hint=meant
            )
        for one in ineffective(self.settings.wildcards, topology):
            log.warning(
                "wildcard.ineffective", wildcard=one.pattern, reason=one.message, hint=one.remedy
            )
        self.topology, self.engines = topology, engines
        self.read_at_s = self.clock.monotonic()
        log.info(
            "gateway.read",
            litellm=topology.litellm_version,
            groups=len(topology.groups),
            paths=len(wanted),
            anew=anew,
        )
        return anew

    async def _marks(self, topology: Topology, store: Store) -> dict[str, str]:
        """Ask each local engine what it is; one that is silent is what it was."""
        urls = local_engines(topology, self.settings.engine_urls)
        keys, _ = engine_keys(self.settings.engines)
        async with asyncio.TaskGroup() as tasks:
            asked = {
                group: tasks.create_task(mark_of(self.session, url, keys.get(group)))
                for group, url in urls.items()
            }
        known = self.engines or dict(await store.recall(MARKS) or {})
        marks = {
            group: mark
            for group, task in asked.items()
            if (mark := task.result() or known.get(group)) is not None
        }
        if marks != known:
            await store.remember(MARKS, marks)
        return marks

    def forget(self) -> None:
        """Read it again before the next drill."""
        self.read_at_s = -1e9

    def begin_anew(self) -> None:
        """Read it before the next drill as for the first time, and bring the ledger up to it."""
        self.topology = None

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
        profiles = {group: self.settings.rehearse.of(group).profile_file for group in groups}
        return DrillRequest(
            group_profiles={g: load_profile(file) for g, file in profiles.items() if file}
        )

    async def close_rehearsal(self) -> None:
        """Close the rehearsal: the next drill opens one of the gateway as it is then."""
        stack, self._stack, self._rehearsal = self._stack, None, None
        if stack is not None:
            await stack.aclose()


def local_engines(topology: Topology, named: Mapping[str, str]) -> dict[str, str]:
    """Say where the local engine of each group is; those with several are left out."""
    found: dict[str, str] = {}
    for name, group in topology.groups.items():
        bases = {d.base_url for d in group.deployments if d.local}
        url = named.get(name) or (bases.pop() if group.local and len(bases) == 1 else None)
        if url is not None:
            found[name] = url
    return found


Connect = Callable[[Settings], AbstractAsyncContextManager[Gateway]]
"""Opens the gateway of the settings."""


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    session: aiohttp.ClientSession,
    incidents: Incidents,
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
        one = OpenGateway(gateway, session, settings, incidents, witness, guard, clock)
        try:
            yield one
        finally:
            await one.close_rehearsal()
