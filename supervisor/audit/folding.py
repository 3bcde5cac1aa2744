"""Report findings of one cause once, with the groups that it concerns. Pure."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from supervisor.audit.finding import AuditFinding


def folded(findings: Iterable[AuditFinding]) -> list[AuditFinding]:
    """Fold findings of one code and one cause, and those that are equal but for their group.

    The first in the order of names stands for the others, whatever order the gateway lists its
    groups in: the daemon knows a finding again by its code and subject.
    """
    together: dict[Hashable, list[AuditFinding]] = {}
    for finding in findings:
        same = finding.cause or (finding.message, finding.remedy, finding.groups)
        together.setdefault((finding.code, finding.severity, same), []).append(finding)
    return [_one(found) for found in together.values()]


def joined_remedies(remedies: Iterable[str]) -> list[str]:
    """Join remedies that differ only in their last line, the entry of one group."""
    joined: dict[str, list[str]] = {}
    for remedy in dict.fromkeys(remedies):
        head, _, last = remedy.rpartition("\n")
        entry = head and last.lstrip().startswith("- ")
        joined.setdefault(head if entry else remedy, []).extend([last] if entry else [])
    return ["\n".join([head, *lasts]) for head, lasts in joined.items()]


def _one(found: list[AuditFinding]) -> AuditFinding:
    ordered = sorted(found, key=lambda finding: finding.subject)
    subjects = tuple(dict.fromkeys(finding.subject for finding in ordered))
    if len(subjects) == 1:
        return ordered[0]
    # What is done about one cause is the same for all, but for the entries of the groups.
    remedy = joined_remedies(finding.remedy for finding in ordered)[0]
    return replace(ordered[0], groups=subjects, remedy=remedy, config=_together(ordered))


def _together(found: list[AuditFinding]) -> Mapping[str, Any] | None:
    """Put together what is to be written for each group."""
    whole: Any = None
    for finding in found:
        whole = finding.config if whole is None else _merged(whole, finding.config)
    return whole if whole is None else dict(whole)


def _merged(have: Any, more: Any) -> Any:
    if isinstance(have, Mapping) and isinstance(more, Mapping):
        both = {key: _merged(have[key], more[key]) for key in have.keys() & more.keys()}
        return {**have, **more, **both}
    if isinstance(have, list) and isinstance(more, list):
        return [*have, *more]
    return have if more is None else more
