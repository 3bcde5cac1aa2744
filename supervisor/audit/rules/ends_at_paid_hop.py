"""Chains whose last resort costs money."""

from collections.abc import Iterable

from supervisor.audit.finding import Audited, AuditFinding, quoted, yaml_list, yaml_name


def ends_at_paid_hop(audited: Audited) -> Iterable[AuditFinding]:
    """A chain ends at a paid provider, which can decline a card too.

    A chain that meets a local hop on its way is only worth a note: the local one was asked first.
    """
    topology = audited.topology
    free = [name for name in audited.groups if audited.costs_nothing(name)]
    for name in audited.groups:
        hops = topology.chain(name).fallbacks
        if not hops or audited.costs_nothing(hops[-1]):
            continue
        local = [hop for hop in hops if audited.costs_nothing(hop)]
        seen = f"after the local {quoted(local)}" if local else "and no hop of it is local"
        yield AuditFinding(
            code="ends_at_paid_hop",
            severity="info" if local else "warning",
            subject=name,
            message=f"the chain of {name!r} ends at {hops[-1]!r}, which is a paid hop, {seen}",
            remedy="If the last hop is local, name its engine below engines: in Understudy's file. "
            "Else put a group of a local engine behind it, in fallbacks:\n"
            f"- {yaml_name(name)}: {yaml_list([*hops, *(free[:1] or ['YOUR-LOCAL-GROUP'])])}",
        )
