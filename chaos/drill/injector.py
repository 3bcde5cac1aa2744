"""The contract of an injector: a way to bring a drill's request, and only it, to the witness."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from chaos.faults.kinds import FAULTS
from chaos.gateway.topology import Deployment, Topology
from chaos.judge.check import Kind
from chaos.judge.observation import ClientReply
from chaos.protocol.dialects import DIALECTS
from chaos.scenario.expand import DrillPlan, HopRole, PlannedHop, Scenario
from chaos.witness.lease import Action, Lease, LeasedHop, Upstream
from chaos.witness.wire_record import WireRecord


@dataclass(frozen=True, slots=True)
class Route:
    """Where a drill's request goes, and what it carries besides.

    Attributes:
        url: The gateway's base URL: the running one, or a twin's.
        body: Fields to add to the request's body.
    """

    url: str
    key: str
    body: Mapping[str, Any]
    lease: Lease


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


class Injector(Protocol):
    """A way to route drills to the witness.

    Attributes:
        topology: Of the gateway that it drills.
        stripped: What a twin's configuration had to leave out.
    """

    @property
    def name(self) -> str: ...
    @property
    def topology(self) -> Topology: ...
    @property
    def stripped(self) -> tuple[str, ...]: ...

    def objection(self, scenario: Scenario) -> Objection | None:
        """Say why *scenario* cannot be drilled this way; None if it can."""
        ...

    def route(self, plan: DrillPlan) -> AbstractAsyncContextManager[Route]:
        """Take a lease for *plan*; it ends with the context, whatever happened.

        At its end the gateway is left as it was before; a dead gateway is no error then.
        """
        ...

    def infer(
        self, plan: DrillPlan, wire: tuple[WireRecord, ...], reply: ClientReply
    ) -> tuple[WireRecord, ...]:
        """Add attempts that no witness can see (a refused connection), where that is certain.

        Args:
            reply: What the client got; its error may tell of the attempt.
        """
        ...

    def trusts_real_keys(self, plan: DrillPlan) -> bool:
        """Tell whether a canary of this chain has arrived unproxied before."""
        ...


def upstream_of(deployment: Deployment, address: str | None = None) -> Upstream | None:
    """Say how *deployment* is known on the wire; None if its provider is not known to us."""
    if deployment.dialect is None or deployment.dialect not in DIALECTS:
        return None
    return Upstream(
        group=deployment.group,
        deployment=deployment.id,
        dialect=DIALECTS[deployment.dialect],
        model=deployment.upstream_model,
        base_url=deployment.base_url,
        local=deployment.local,
        address=address,
    )


def leased_hops(
    plan: DrillPlan, addresses: Mapping[str, str] | None = None
) -> tuple[LeasedHop, ...]:
    """Turn a plan's hops into what the witness does for them.

    Args:
        addresses: A twin's address by deployment id; None for a lane.
    """
    return tuple(
        LeasedHop(
            group=hop.group,
            upstreams=_upstreams(hop.deployments, addresses),
            action=_action(hop),
            fault=FAULTS[hop.fault.name] if hop.fault else None,
            fault_name=hop.fault or None,
            then=Action.STAND_IN if hop.stand_in else Action.FORWARD,
            attempts_allowed=hop.attempts_allowed,
        )
        for hop in plan.hops
    )


def other_upstreams(
    plan: DrillPlan, topology: Topology, addresses: Mapping[str, str] | None = None
) -> tuple[Upstream, ...]:
    """List the upstreams of every group outside the plan's chain."""
    chain = {hop.group for hop in plan.hops}
    return tuple(
        upstream
        for name, group in topology.groups.items()
        if name not in chain
        for upstream in _upstreams(group.deployments, addresses)
    )


def _upstreams(
    deployments: Sequence[Deployment], addresses: Mapping[str, str] | None
) -> tuple[Upstream, ...]:
    found = (
        upstream_of(deployment, (addresses or {}).get(deployment.id)) for deployment in deployments
    )
    return tuple(upstream for upstream in found if upstream is not None)


def _action(hop: PlannedHop) -> Action:
    if hop.role is HopRole.FAIL:
        return Action.FAULT
    return Action.STAND_IN if hop.stand_in or hop.role is HopRole.SPARE else Action.FORWARD
