"""Chains that LiteLLM stops walking before their end."""

from collections.abc import Iterable

from supervisor.audit.advice import LISTS, chain_advice
from supervisor.audit.finding import Audited, AuditFinding, quoted


def chain_too_deep(audited: Audited) -> Iterable[AuditFinding]:
    """A chain has hops that LiteLLM never reaches, because of ``max_fallbacks``.

    Source: LiteLLM 1.106.2, run: chains of chains count against it, a flat list does not.
    """
    settings = audited.topology.settings
    for chain in audited.topology.chains:
        if not chain.cut:
            continue
        hops = [*chain.fallbacks, *chain.cut]
        advice = chain_advice(audited, chain.group, hops, LISTS[chain.trigger])
        yield AuditFinding(
            code="chain_too_deep",
            severity="warning",
            subject=chain.group,
            message=f"the {chain.trigger} chain of {chain.group!r} never reaches "
            f"{quoted(chain.cut)}: LiteLLM stops after {settings.max_fallbacks} fallbacks",
            remedy="Write the chain as one flat list, which is not cut, or raise "
            f"router_settings.max_fallbacks.\n{advice.text}",
            config=advice.config,
        )
