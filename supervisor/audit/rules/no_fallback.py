"""Groups, aliases and wildcards that nothing stands behind."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from supervisor.audit.advice import Advice, are_there, chain_advice, stand_in, stand_ins
from supervisor.audit.finding import Audited, AuditFinding, quoted, yaml_list


def no_fallback(audited: Audited) -> Iterable[AuditFinding]:
    """A group has no fallback, and is not itself the last hop of another group's chain."""
    alone = [name for name in audited.groups if _is_alone(audited, name)]
    proposed = {stand_in(audited, name) for name in alone}
    for name in alone:
        if name in proposed and not stand_ins(audited, name):
            # An entry of its own would have nobody to name.
            advice = Advice("Let the other groups end with it: then it is their last resort.")
        else:
            advice = chain_advice(audited, name, [stand_in(audited, name)])
        yield AuditFinding(
            code="no_fallback",
            severity="error",
            subject=name,
            message=f"group {name!r} has no fallback: when its provider fails, its callers do too",
            remedy=advice.text,
            config=advice.config,
        )


def _is_alone(audited: Audited, name: str) -> bool:
    """Tell whether nothing stands behind a group, and it behind nothing.

    A chain of nothing but unknown targets is unknown_target's, and a group with several orders is
    its own fallback.
    """
    chain = audited.topology.chain(name)
    own = audited.groups[name].ordered
    return not (name in audited.targets or chain.fallbacks or chain.missing or own)


def alias_without_fallback(audited: Audited) -> Iterable[AuditFinding]:
    """An alias has no chain of its own: LiteLLM looks up the alias, not its group."""
    topology = audited.topology
    keys = {key for entry in topology.settings.fallbacks for key in entry}
    for alias, group in topology.aliases.items():
        last_resort = group in audited.targets and not topology.chain(group).fallbacks
        if alias in keys or topology.settings.default_fallbacks or last_resort:
            continue
        found = topology.groups.get(group)
        if found is not None and found.ordered:
            continue  # its orders are a chain of their own, also for calls of the alias
        hops = topology.chain(group).fallbacks or (stand_in(audited, alias),)
        advice = chain_advice(audited, alias, hops)
        yield AuditFinding(
            code="alias_without_fallback",
            severity="error",
            subject=alias,
            message=f"alias {alias!r} has no fallback: the chain of its group {group!r} does not "
            "hold for calls of the alias",
            remedy=advice.text,
            config=advice.config,
        )


def wildcard_without_fallback(audited: Audited) -> Iterable[AuditFinding]:
    """The models of a wildcard group have no chain: a key with ``*`` in it never matches.

    Source: LiteLLM 1.106.2, run.
    """
    settings = audited.topology.settings
    if settings.default_fallbacks:
        return
    keys = {key for entry in settings.fallbacks for key in entry}
    for pattern in audited.patterns:
        found = audited.topology.groups.get(audited.wildcards.get(pattern, pattern))
        if found is not None and found.ordered:
            continue
        exact = [key for key in keys if key != pattern and fnmatchcase(key, pattern)]
        seen = f"only {quoted(exact)} of its models have one" if exact else "none of its models has"
        written = f"; the key {pattern!r} never matches a call" if pattern in keys else ""
        default = [stand_in(audited, pattern)]
        yield AuditFinding(
            code="wildcard_without_fallback",
            severity="warning" if exact else "error",
            subject=pattern,
            message=f"wildcard group {pattern!r} has no fallback of its own: {seen}{written}",
            remedy="Give every model a default, or key a chain by each model's full name:\n"
            f"litellm_settings:\n  default_fallbacks: {yaml_list(default)}",
            config={"litellm_settings": {"default_fallbacks": default}}
            if are_there(audited, default)
            else None,
        )
