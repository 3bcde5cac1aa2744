"""From a plan to what the witness does for it: hops with their upstreams and actions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chaos.faults.kinds import FAULTS
from chaos.gateway.topology import Deployment, Topology
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.dialects.generic import GENERIC
from chaos.scenario.plan import DrillPlan, HopRole, PlannedHop
from chaos.witness.lease import Action, LeasedHop, Upstream


def upstream_of(deployment: Deployment, address: str | None = None) -> Upstream | None:
    """Say how *deployment* is known on the wire; None if its provider is not known to us.

    At an *address* of its own it is known whatever it speaks, so that it can be made to fail.
    """
    dialect = deployment.dialect or (GENERIC if address is not None else "")
    if dialect not in DIALECTS:
        return None
    return Upstream(
        group=deployment.group,
        deployment=deployment.id,
        dialect=DIALECTS[dialect],
        model=deployment.upstream_model,
        base_url=deployment.base_url,
        local=deployment.local,
        address=address,
        refuses_prefill=deployment.accepts_prefill is False,
    )


def keyless(plan: DrillPlan, *, by_address: bool = False) -> bool:
    """Tell whether a hop of *plan* carries no key of ours: it signs its requests, or has none.

    Args:
        by_address: Hops are known by address, those of unknown dialects too: where one of these
            puts its key is not known either.
    """
    named = [deployment.dialect for hop in plan.hops for deployment in hop.deployments]
    spoken = [DIALECTS[name] for name in named if name is not None and name in DIALECTS]
    surface = plan.scenario.surface
    unknown = by_address and None in named
    return unknown or any(dialect.signs or surface in dialect.keyless for dialect in spoken)


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
            upstreams=tuple(
                replace(upstream, spared=upstream.deployment in hop.spared)
                for upstream in _upstreams(hop.deployments, addresses)
            ),
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
