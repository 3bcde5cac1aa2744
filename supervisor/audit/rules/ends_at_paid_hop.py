"""Chains whose last resort costs money."""

from collections.abc import Iterable, Sequence

from supervisor.audit.advice import chain_advice, stand_in
from supervisor.audit.finding import Audited, AuditFinding, quoted


def ends_at_paid_hop(audited: Audited) -> Iterable[AuditFinding]:
    """A chain ends at a paid provider, which can decline a card too.

    A chain that meets a local hop on its way is only worth a note: the local one was asked first.
    Nothing is said of a group that is local itself: the paid hop is what stands behind it. Nor of
    a paid hop behind a local one with less room: it is there for what is too long for that one.
    """
    topology = audited.topology
    for name in audited.groups:
        hops = topology.chain(name).fallbacks
        if not hops or audited.costs_nothing(name) or audited.ends_free(hops[-1]):
            continue
        local = [hop for hop in (name, *hops) if audited.ends_free(hop)]
        if local and _has_more_room(audited, hops[-1], local):
            continue
        seen = f"after the local {quoted(local)}" if local else "and no hop of it is local"
        whole = (*hops, *topology.chain(name).cut)  # a flat list is not cut
        advice = chain_advice(audited, name, _ending_free(audited, name, whole))
        yield AuditFinding(
            code="ends_at_paid_hop",
            severity="info" if local else "warning",
            subject=name,
            message=f"the chain of {name!r} ends at {hops[-1]!r}, which is a paid hop, {seen}",
            remedy="If the last hop is local, name its engine below engines: in Understudy's file. "
            f"Else let a group of a local engine be the last.\n{advice.text}",
            config=advice.config,
        )


def _has_more_room(audited: Audited, last: str, local: Sequence[str]) -> bool:
    groups = audited.topology.groups
    room = audited.room(groups[last]) if last in groups else None
    less = [audited.room(groups[hop]) for hop in local if hop in groups]
    return room is not None and bool(less) and all(one is not None and one < room for one in less)


def _ending_free(audited: Audited, name: str, hops: Sequence[str]) -> list[str]:
    """Put a local hop of the chain at its end, else a local group that is not in it yet."""
    free = [hop for hop in hops if audited.ends_free(hop)]
    last = free[-1] if free else stand_in(audited, name, without=hops)
    return [*(hop for hop in hops if hop != last), last]
