"""Hops with less room than the group that they stand in for."""

from collections.abc import Iterable

from chaos.gateway.topology import ModelGroup
from supervisor.audit.finding import Audited, AuditFinding, yaml_list, yaml_name
from supervisor.engine.flag_advice import longer_context

AGENT_TOKENS = 47_000
"""What one request of a coding agent takes: a prompt of 15,000 tokens and 32,000 for the answer."""


def context_shrinks(audited: Audited) -> Iterable[AuditFinding]:
    """A fallback has a shorter context than the primary.

    A note where an agent's request still fits, a warning where it does not. An engine's own
    word counts for more than LiteLLM's.
    """
    topology = audited.topology
    for name, group in audited.groups.items():
        room = _room(audited, group)
        if room is None or group.embeds:
            continue
        for hop in topology.chain(name).fallbacks:
            found = topology.groups.get(hop)
            less = _room(audited, found) if found else None
            if less is None or less >= room:
                continue
            yield AuditFinding(
                code="context_shrinks",
                severity="warning" if less < AGENT_TOKENS <= room else "info",
                subject=name,
                message=f"{name!r} takes {room:,} tokens and its fallback {hop!r} {less:,}: "
                "longer requests fail there",
                remedy=_remedy(audited, name, hop, room),
            )


def _remedy(audited: Audited, name: str, hop: str, room: int) -> str:
    """A request too long for one hop goes on to the next one of the list."""
    hops = [*audited.topology.chain(name).fallbacks]
    longer = (
        other
        for other, group in audited.groups.items()
        if other != name and (_room(audited, group) or 0) >= room and not group.embeds
    )
    last = next(longer, "A-GROUP-WITH-MORE-ROOM")
    parts = ["Let long requests go on to a group with more room, in fallbacks:"]
    if audited.costs_nothing(hop):
        engines = (facts for facts in audited.engines if facts.group == hop)
        parts = [longer_context(engines, room), "Or let long requests go on, in fallbacks:"]
    return "\n".join(
        [*parts, f"- {yaml_name(name)}: {yaml_list(list(dict.fromkeys([*hops, last])))}"]
    )


def _room(audited: Audited, group: ModelGroup) -> int | None:
    """Tell what the smallest deployment takes; None if nobody knows."""
    told = [
        length
        for facts in audited.engines
        if facts.group == group.name
        for served, length in facts.max_model_len.items()
        if served in facts.asked_for
    ]
    claimed = [d.max_input_tokens for d in group.deployments if d.max_input_tokens is not None]
    return min(told or claimed, default=None)
