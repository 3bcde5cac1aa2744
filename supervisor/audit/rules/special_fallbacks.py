"""Special fallback lists that switch the general one off."""

from collections.abc import Iterable

from chaos.gateway.topology import Trigger
from supervisor.audit.advice import LISTS, chain_advice
from supervisor.audit.finding import Audited, AuditFinding


def special_fallbacks_shadow_general(audited: Audited) -> Iterable[AuditFinding]:
    """A group has no fallback for one class of errors, because other groups have a list for it.

    Source: LiteLLM 1.106.2, run: once such a list is there, it alone answers for its class;
    neither the general list nor ``default_fallbacks`` does.
    """
    topology = audited.topology
    for trigger in (Trigger.CONTEXT_WINDOW, Trigger.CONTENT_POLICY):
        setting = LISTS[trigger]
        if not _is_set(audited, setting):
            continue
        for name, group in audited.groups.items():
            if group.family != "chat":
                continue  # only what answers in words outgrows a context or breaks a policy
            general, special = topology.chain(name), topology.chain(name, trigger)
            if not general.fallbacks or special.fallbacks or special.missing:
                continue
            advice = chain_advice(audited, name, general.fallbacks, setting)
            cause = "a context-window" if trigger is Trigger.CONTEXT_WINDOW else "a content-policy"
            yield AuditFinding(
                code="special_fallbacks_shadow_general",
                severity="warning",
                subject=name,
                message=f"{setting} is set, but not for {name!r}: its general fallbacks do not "
                f"answer {cause} error any more, so its callers get it",
                remedy=advice.text,
                config=advice.config,
                cause=setting,
            )


def _is_set(audited: Audited, setting: str) -> bool:
    """Even an empty list in ``litellm_settings`` counts, which only the file shows."""
    if getattr(audited.topology.settings, setting):
        return True
    return isinstance(audited.section("litellm_settings").get(setting), list)
