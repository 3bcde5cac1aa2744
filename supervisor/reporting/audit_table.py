"""The audit report for people: what is wrong, and under it what to write."""

from collections import Counter
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from chaos.naming import some_of
from supervisor.audit.folding import joined_remedies
from supervisor.audit.report import MOST_GROUPS, AuditReport, sentence
from supervisor.reporting.unbroken import Labelled, drawn_remedy

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
MARGIN = Text("  ")
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
        parts += [Labelled(MARGIN, sentence(row)) for row in rows[:MOST_SHOWN]]
        if len(rows) > MOST_SHOWN:
            named = some_of((row.subject for row in rows[MOST_SHOWN:]), MOST_GROUPS)
            parts.append(Labelled(MARGIN, f"and {len(rows) - MOST_SHOWN} more: {named}"))
        texts = joined_remedies((row.remedy for row in rows), MOST_SHOWN)
        parts += [drawn_remedy(text) for text in texts[:MOST_SHOWN]]
        if len(texts) > MOST_SHOWN:
            parts.append(drawn_remedy(f"and {len(texts) - MOST_SHOWN} more such remedies"))
        parts.append(Text())
    counted = [_counted(report), *(["Every one of them: --format json"] if _is_cut(report) else [])]
    return Group(*parts, *map(Text, counted))


def _is_cut(report: AuditReport) -> bool:
    codes = Counter(row.code for row in report.findings)
    return any(n > MOST_SHOWN for n in codes.values()) or any(
        len(row.groups) > MOST_GROUPS for row in report.findings
    )


def _counted(report: AuditReport) -> str:
    counts = [
        (sum(1 for finding in report.findings if finding.severity == severity), severity)
        for severity in STYLES
    ]
    return ", ".join(f"{n} {s}{'s' if n != 1 and s != 'info' else ''}" for n, s in counts)
