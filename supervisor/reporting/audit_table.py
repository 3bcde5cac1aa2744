"""The audit report for people: what is wrong, and under it what to write."""

from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from supervisor.audit.folding import joined_remedies
from supervisor.audit.report import AuditReport, sentence
from supervisor.reporting.unbroken import unbroken

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
MOST_SHOWN = 12
"""Findings of one code that are shown one by one; a gateway may have hundreds of groups."""


def draw(report: AuditReport) -> RenderableType:
    """Draw the findings code by code; a remedy that several share is written once."""
    if not report.findings:
        return Text("Nothing found: the configuration can do what it says. Now drill it.")
    parts: list[RenderableType] = []
    for (severity, code), found in groupby(report.findings, lambda f: (f.severity, f.code)):
        rows = list(found)
        parts.append(Text.assemble((f"{severity:8}", STYLES[severity]), (code, "bold")))
        parts += [Padding(Text(sentence(row)), (0, 0, 0, 2)) for row in rows[:MOST_SHOWN]]
        if len(rows) > MOST_SHOWN:
            left = ", ".join(row.subject for row in rows[MOST_SHOWN:])
            parts.append(Padding(Text(f"and {len(rows) - MOST_SHOWN} more: {left}"), (0, 0, 0, 2)))
        texts = joined_remedies(row.remedy for row in rows)
        parts += [_remedy(text) for text in texts]
        parts.append(Text())
    return Group(*parts, Text(_counted(report)))


def _remedy(text: str) -> Text:
    first, *others = text.splitlines() or [""]
    drawn = Text.assemble("  ", ("→ ", "bold"), first)
    for line in others:
        drawn.append(f"\n      {line}", style="green")
    return unbroken(drawn)


def _counted(report: AuditReport) -> str:
    counts = [
        (sum(1 for finding in report.findings if finding.severity == severity), severity)
        for severity in STYLES
    ]
    return ", ".join(f"{n} {s}{'s' if n != 1 and s != 'info' else ''}" for n, s in counts)
