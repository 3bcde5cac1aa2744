"""Report findings of one cause once, with the groups that it concerns. Pure."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
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


def joined_remedies(remedies: Iterable[str], most: int | None = None) -> list[str]:
    """Join remedies that differ only in one line, the entry of one group.

    Args:
        most: Entries of one remedy that are written; a comment counts the rest, so that what is
            copied is still YAML. None: all.
    """
    joined: list[_Joined] = []
    for remedy in dict.fromkeys(remedies):
        lines = remedy.split("\n")
        if not any(one.takes(lines) for one in joined):
            joined.append(_Joined(lines))
    return [one.text(most) for one in joined]


@dataclass(slots=True)
class _Joined:
    """A remedy, and the entries of others that are the same but for one line.

    Attributes:
        at: Which line the entries are; None while there is one remedy.
    """

    lines: list[str]
    at: int | None = None
    entries: list[str] = field(default_factory=list)

    def takes(self, lines: list[str]) -> bool:
        """Take another remedy in, if it has the same lines but for an entry."""
        if len(lines) != len(self.lines):
            return False
        differ = [n for n, (a, b) in enumerate(zip(self.lines, lines, strict=True)) if a != b]
        if len(differ) != 1 or self.at not in (None, differ[0]):
            return False
        at = differ[0]
        if not _are_entries(self.lines[at], lines[at], "".join(lines[at + 1 : at + 2])):
            return False
        self.at, self.entries = at, [*(self.entries or [self.lines[at]]), lines[at]]
        return True

    def text(self, most: int | None) -> str:
        if self.at is None:
            return "\n".join(self.lines)
        shown = self.entries[:most]
        left = len(self.entries) - len(shown)
        if left:
            shown = [*shown, f"{_margin(shown[0])}# and {left} more: --format json"]
        return "\n".join([*self.lines[: self.at], *shown, *self.lines[self.at + 1 :]])


def _are_entries(one: str, other: str, after: str) -> bool:
    """Tell whether two lines may stand below each other, as items or keys without children."""
    if len(_margin(after)) > len(_margin(one)) or _margin(one) != _margin(other):
        return False
    if one.lstrip().startswith("- "):
        return other.lstrip().startswith("- ")
    keys = [line.rpartition(": ")[0] for line in (one, other)]
    return bool(_margin(one)) and all(keys) and keys[0] != keys[1]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


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
