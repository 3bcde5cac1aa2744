"""The contract of an injector: a way to bring a drill's request, and only it, to the witness."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from chaos.gateway.client import Gateway
from chaos.gateway.topology import Topology
from chaos.judge.check import Kind
from chaos.judge.observation import ClientReply, Observation
from chaos.process.readiness import START_WITHIN_S, StartLimit
from chaos.scenario.plan import DrillPlan
from chaos.scenario.scenario import Scenario
from chaos.witness.lease import Lease
from chaos.witness.server import Witness
from chaos.witness.wire_record import WireRecord


@dataclass(slots=True)
class Route:
    """Where a drill's request goes, and what it carries besides.

    Attributes:
        url: The gateway's base URL: the running one, or a twin's.
        body: Fields to add to the request's body.
        settled: Requests that were sent at its end, to leave the gateway as it was.
    """

    url: str
    key: str
    body: Mapping[str, Any]
    lease: Lease
    settled: int = 0


@dataclass(frozen=True, slots=True)
class Objection:
    """Why an injector cannot drill a scenario.

    Attributes:
        for_all: It holds for every scenario on this gateway, not just for this one.
    """

    reason: str
    remedy: str
    kind: Kind = Kind.HOP_NOT_FORWARDABLE
    for_all: bool = False


@dataclass(frozen=True, slots=True)
class TwinOptions:
    """How a second LiteLLM is started.

    Attributes:
        config_file: LiteLLM's own configuration; None if there is to be no twin.
        executable: LiteLLM's; None for the one that ``understudy lab --prepare`` installs.
        image: A container image of LiteLLM; takes precedence.
        cooldowns: Its cooldowns are on, and faults that end are drilled, no others.
        version: Of LiteLLM, installed if it is not there; None for the running gateway's, where
            that is there, else the lab's.
    """

    config_file: Path | None = None
    executable: Path | None = None
    image: str | None = None
    version: str | None = None
    cooldowns: bool = False
    limit: StartLimit = field(
        default_factory=lambda: StartLimit(START_WITHIN_S, "twin.start_within_s")
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """What an injector is opened with.

    Attributes:
        gateway: The running one; None where there is only its configuration file.
        topology: Of the running gateway, likewise.
        engine_urls: Where this machine reaches local engines, by model group.
        paid: Model groups that cost money, whatever their address.
        default_bases: Real base URLs of providers, by LiteLLM's prefix.
        wildcards: Models that stand for wildcards, by pattern.
        say: Takes progress.
    """

    gateway: Gateway | None
    witness: Witness
    topology: Topology | None
    real_keys: bool = False
    engine_urls: Mapping[str, str] = field(default_factory=dict)
    paid: Collection[str] = ()
    default_bases: Mapping[str, str] = field(default_factory=dict)
    wildcards: Mapping[str, str] = field(default_factory=dict)
    twin: TwinOptions = field(default_factory=TwinOptions)
    say: Callable[[str], None] = lambda _: None


class Injector(ABC):
    """A way to route drills to the witness.

    Attributes:
        name: What ``--injector`` calls it.
        touches_others: It drills a gateway that serves others too, who might feel it.
        gateway: The one that it drills.
        topology: Of that gateway.
        stripped: What that gateway's configuration had to leave out.
    """

    name: ClassVar[str]
    touches_others: ClassVar[bool] = False
    gateway: Gateway
    topology: Topology
    stripped: tuple[str, ...] = ()

    @classmethod
    def lacks(cls, setting: Setting) -> Objection | None:  # noqa: ARG003 -- most lack nothing
        """Say what it lacks to be opened; None if nothing. ``auto`` opens what lacks nothing."""
        return None

    @classmethod
    @abstractmethod
    def opened(cls, setting: Setting) -> AbstractAsyncContextManager["Injector"]:
        """Make one until exit.

        Raises:
            UsageError: It lacks what it needs.
            SetupError: A process of its own did not come up.
        """

    @abstractmethod
    def objection(self, scenario: Scenario) -> Objection | None:
        """Say why *scenario* cannot be drilled this way; None if it can."""

    @abstractmethod
    def route(self, plan: DrillPlan) -> AbstractAsyncContextManager[Route]:
        """Take a lease for *plan*; it ends with the context, whatever happened.

        At its end the gateway is left as it was before; a dead gateway is no error then.
        """

    def infer(
        self,
        plan: DrillPlan,  # noqa: ARG002 -- for injectors with hops that no witness sees
        wire: tuple[WireRecord, ...],
        reply: ClientReply,  # noqa: ARG002 -- likewise
    ) -> tuple[WireRecord, ...]:
        """Add attempts that no witness can see (a refused connection), where that is certain.

        Args:
            reply: What the client got; its error may tell of the attempt.
        """
        return wire

    def learn(self, plan: DrillPlan, seen: Observation) -> None:  # noqa: B027 -- most need not
        """Note what a drill by canary proved about the way of *plan*."""

    @abstractmethod
    def distrust(self, plan: DrillPlan) -> str | None:
        """Say why no real key may go the way of *plan*; None once a canary has proven it."""
