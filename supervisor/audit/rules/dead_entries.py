"""Entries of the fallback lists that LiteLLM never looks at."""

from collections.abc import Iterable, Mapping, Sequence

from chaos.registry import suggestion
from supervisor.audit.finding import Audited, AuditFinding


def dead_entries(audited: Audited) -> Iterable[AuditFinding]:
    """A chain belongs to a group that does not exist, or to one that has a chain already.

    Source: LiteLLM 1.106.2, run: the first entry of a group wins, a key that names nothing is
    not complained about.
    """
    settings = audited.topology.settings
    for setting, entries in (
        ("fallbacks", settings.fallbacks),
        ("context_window_fallbacks", settings.context_window_fallbacks),
        ("content_policy_fallbacks", settings.content_policy_fallbacks),
    ):
        yield from _of(audited, setting, entries)


def _of(
    audited: Audited, setting: str, entries: Sequence[Mapping[str, tuple[str, ...]]]
) -> Iterable[AuditFinding]:
    seen = set()
    for name in (key for entry in entries for key in entry):
        if name in seen:
            yield AuditFinding(
                code="fallbacks_repeated",
                severity="warning",
                subject=name,
                message=f"{setting} has two entries for {name!r}; LiteLLM reads only the first",
                remedy=f"Join the two lists of {name!r} into one.",
            )
        elif not _called(audited, name):
            known = [*audited.groups, *audited.topology.aliases]
            yield AuditFinding(
                code="unknown_group",
                severity="warning",
                subject=name,
                message=f"{setting} has a chain for {name!r}, which the gateway does not have",
                remedy=f"Mend the name {name!r} in {setting}; {suggestion(name, known)}",
            )
        seen.add(name)


def _called(audited: Audited, key: str) -> bool:
    """Tell whether some call finds the chain under *key*; ``provider/`` may be left out of it."""
    if key in audited.patterns:
        return True  # wildcard_without_fallback says what is wrong with it
    suffixes = {name.partition("/")[2] for name in audited.topology.groups if "/" in name}
    behind_wildcard = bool(audited.patterns) and "/" not in key
    return audited.exists(key) or key in suffixes or behind_wildcard
