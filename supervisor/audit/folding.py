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


def _one(found: list[AuditFinding]) -> AuditFinding:
    subjects = {finding.subject for finding in found}
    first = min(found, key=lambda finding: finding.subject)
    if len(subjects) == 1:
        return first
    return replace(first, groups=tuple(sorted(subjects)), config=_together(found))


def _together(found: list[AuditFinding]) -> Mapping[str, Any] | None:
    """Put together what is to be written for each group; one cause is mended in one place."""
    configs = [finding.config for finding in found if finding.config is not None]
    sections: dict[str, list[Any]] = {}
    for config in configs:
        for section, value in config.items():
            if not isinstance(value, list):
                return configs[0]  # a setting, which is one for all
            sections.setdefault(section, []).extend(value)
    return sections or None
