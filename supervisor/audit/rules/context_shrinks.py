"""Hops with less room than the group that they stand in for."""

from collections.abc import Iterable
from dataclasses import replace

from chaos.gateway.topology import Trigger
from supervisor.audit.advice import LISTS, ROOMY_GROUP, Advice, chain_advice
from supervisor.audit.finding import Audited, AuditFinding
from supervisor.engine.flag_advice import longer_context

AGENT_TOKENS = 47_000
"""What one request of a coding agent takes: a prompt of 15,000 tokens and 32,000 for the answer."""


def context_shrinks(audited: Audited) -> Iterable[AuditFinding]:
    """A fallback has a shorter context than the primary.

    A note where an agent's request still fits, or goes on to a hop with the room; a warning where
    it does not. An engine's own word counts for more than LiteLLM's.
    """
    topology = audited.topology
    for name, group in audited.groups.items():
        room = audited.room(group)
        if room is None or group.family != "chat":
            continue
        for hop in topology.chain(name).fallbacks:
            found = topology.groups.get(hop)
            less = audited.room(found) if found else None
            if less is None or less >= room:
                continue
            goes_on = [other for other in _later(audited, name, hop) if _fits(audited, other, room)]
            advice = Advice(_NOTHING.format(goes_on[0])) if goes_on else _longer(audited, name, hop)
            fails = less < AGENT_TOKENS <= room and not goes_on
            yield AuditFinding(
                code="context_shrinks",
                severity="warning" if fails else "info",
                subject=name,
                message=f"{name!r} takes {room:,} tokens and its fallback {hop!r} {less:,}: "
                "longer requests fail there",
                remedy=advice.text,
                config=advice.config,
            )


_NOTHING = "Nothing has to be written: longer requests go on to {!r}, which has the room."


def _later(audited: Audited, name: str, hop: str) -> tuple[str, ...]:
    """List what is asked once a request was too long for *hop*: its list's own hops first."""
    topology = audited.topology
    chain = topology.chain(name).fallbacks
    before, after = chain[: chain.index(hop) + 1], chain[chain.index(hop) + 1 :]
    lists = (topology.chain(one, Trigger.CONTEXT_WINDOW).fallbacks for one in (hop, name))
    special = next(filter(None, lists), ())
    return (*(other for other in special if other not in before), *after)  # none is asked twice


def _longer(audited: Audited, name: str, hop: str) -> Advice:
    """Let requests that are too long for *hop* go on to a group that takes them."""
    topology = audited.topology
    room = audited.room(topology.groups[name]) or 0
    # What is in the chain and takes them was asked before the hop, else they would go on to it.
    earlier = [other for other in topology.chain(name).fallbacks if _fits(audited, other, room)]
    special = bool(topology.settings.context_window_fallbacks) and not earlier
    trigger = Trigger.CONTEXT_WINDOW if special else Trigger.GENERAL
    chain = topology.chain(name, trigger)
    others = (
        other
        for other, group in audited.groups.items()
        if other != name and group.family == "chat" and _fits(audited, other, room)
    )
    last = next(iter(earlier), None) or next(others, ROOMY_GROUP)
    hops = [other for other in (*chain.fallbacks, *chain.cut) if other != last]
    lines = chain_advice(audited, name, [*hops, last], LISTS[trigger])
    way = f"move {last!r} behind {hop!r}" if earlier else "let long requests go on to more room"
    if not audited.costs_nothing(hop):
        return replace(lines, text=f"{way[0].upper()}{way[1:]}.\n{lines.text}")
    engines = (facts for facts in audited.engines if facts.group == hop)
    flag = longer_context(engines, room)
    return replace(lines, text=f"{flag}\nOr {way}.\n{lines.text}")


def _fits(audited: Audited, name: str, room: int) -> bool:
    group = audited.topology.groups.get(name)
    return group is not None and (audited.room(group) or 0) >= room
