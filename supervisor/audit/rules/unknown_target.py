"""Fallback targets that do not exist."""

from collections.abc import Iterable, Iterator

from chaos.registry import suggestion
from supervisor.audit.finding import Audited, AuditFinding


def unknown_target(audited: Audited) -> Iterable[AuditFinding]:
    """A fallback target does not exist, and LiteLLM skips it silently.

    Source: LiteLLM 1.106.2, run.
    """
    topology = audited.topology
    known = [*audited.groups, *topology.aliases]
    for setting, group, target in dict.fromkeys(_named(audited)):
        if audited.exists(target):
            continue
        chain = topology.chain(group)
        alone = group in topology.groups and not chain.fallbacks
        yield AuditFinding(
            code="unknown_target",
            severity="error" if alone else "warning",
            subject=group,
            message=f"{setting} of {group!r} names {target!r}, which the gateway does not have: "
            + ("the group has no other fallback" if alone else "LiteLLM skips it silently"),
            remedy=f"Mend {target!r} in {setting}, or add the group; {suggestion(target, known)}",
        )


def _named(audited: Audited) -> Iterator[tuple[str, str, str]]:
    settings = audited.topology.settings
    told = set()
    for setting, entries in (
        ("fallbacks", settings.fallbacks),
        ("context_window_fallbacks", settings.context_window_fallbacks),
        ("content_policy_fallbacks", settings.content_policy_fallbacks),
    ):
        for entry in entries:
            for group, targets in entry.items():
                for target in targets:
                    told.add(target)
                    yield setting, group, target
    for target in settings.default_fallbacks:
        told.add(target)
        yield "default_fallbacks", "*", target
    for chain in audited.topology.chains:
        for target in chain.missing:
            if target not in told:
                yield "fallbacks", chain.group, target
