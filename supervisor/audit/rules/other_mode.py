"""Fallbacks that answer another kind of request than their group."""

from collections.abc import Iterable, Sequence

from chaos.gateway.topology import Chain, ModelGroup, mode_family
from supervisor.audit.advice import LISTS, chain_advice, stand_in
from supervisor.audit.finding import Audited, AuditFinding, quoted


def fallback_of_other_mode(audited: Audited) -> Iterable[AuditFinding]:
    """A fallback answers another kind of request than its group, such as chat for embeddings.

    An error where no other hop fits. Of a group or a hop without a mode nothing is said: LiteLLM
    knows no mode of most local models.
    """
    topology = audited.topology
    for chain in topology.chains:
        group = audited.groups.get(chain.group)
        if group is None or group.mode is None:
            continue
        wrong = [hop for hop in chain.fallbacks if _differs(audited, group, hop)]
        if wrong:
            yield _finding(audited, chain, group, wrong)


def _finding(
    audited: Audited, chain: Chain, group: ModelGroup, wrong: Sequence[str]
) -> AuditFinding:
    setting = LISTS[chain.trigger]
    fitting = [hop for hop in (*chain.fallbacks, *chain.cut) if hop not in wrong]
    hops = fitting or [stand_in(audited, group.name, without=wrong)]
    advice = chain_advice(audited, group.name, hops, setting)
    where = "default_fallbacks" if _by_default(audited, group.name, setting) else setting
    is_or_are = "is" if len(wrong) == 1 else "are"
    return AuditFinding(
        code="fallback_of_other_mode",
        severity="warning" if fitting else "error",
        subject=group.name,
        message=f"{group.name!r} answers {group.mode} requests, and {quoted(wrong)} in {where} "
        f"{is_or_are} of another mode ({', '.join(_modes(audited, wrong))}): "
        + ("every request fails there" if fitting else "no fallback of it can answer"),
        remedy=advice.text,
        config=advice.config,
    )


def _differs(audited: Audited, group: ModelGroup, hop: str) -> bool:
    found = audited.topology.find(hop)
    return (
        found is not None
        and found.mode is not None
        and mode_family(found.mode) != mode_family(group.mode)
    )


def _by_default(audited: Audited, name: str, setting: str) -> bool:
    settings = audited.topology.settings
    keyed = any(name in entry for entry in getattr(settings, setting))
    return setting == "fallbacks" and bool(settings.default_fallbacks) and not keyed


def _modes(audited: Audited, hops: Sequence[str]) -> list[str]:
    found = (audited.topology.find(hop) for hop in hops)
    return sorted({group.mode for group in found if group is not None and group.mode is not None})
