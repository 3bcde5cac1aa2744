"""The audit report: what ``understudy audit --format json`` prints, and others build on.

Additive changes are free; anything else needs a new version.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chaos.exit_code import ExitCode
from chaos.naming import some_of
from supervisor.audit.finding import AuditFinding, Severity

MOST_GROUPS = 8
"""Groups of one finding that a sentence names."""


class FindingRow(BaseModel):
    """One thing that is wrong; *subject* is the group, deployment or setting it is about.

    Where it concerns several groups, *groups* lists them all, and *subject* may be one of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    severity: Severity
    subject: str
    message: str
    remedy: str
    groups: tuple[str, ...] = ()


class AuditReport(BaseModel):
    """Everything that the audits found, errors first."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["understudy/audit-report/1"] = Field(
        "understudy/audit-report/1", alias="schema"
    )
    findings: tuple[FindingRow, ...]


def report_of(findings: Iterable[AuditFinding]) -> AuditReport:
    """Make the report of *findings*, in their order."""
    return AuditReport(
        findings=tuple(
            FindingRow(
                code=finding.code,
                severity=finding.severity,
                subject=finding.subject,
                message=finding.message,
                remedy=finding.remedy,
                groups=finding.groups,
            )
            for finding in findings
        )
    )


def sentence(row: FindingRow) -> str:
    """Say what was seen, and of which groups, as far as the message does not name them."""
    unnamed = [g for g in row.groups if g != row.subject and repr(g) not in row.message]
    if not unnamed:
        return row.message
    also = "also" if row.subject in row.groups else "groups"
    return f"{row.message} ({also}: {some_of(unnamed, MOST_GROUPS)})"


def exit_code(report: AuditReport) -> ExitCode:
    """Say how ``understudy audit`` ends: 1 for an error or a warning, else 0."""
    serious = any(finding.severity != "info" for finding in report.findings)
    return ExitCode.FAILED if serious else ExitCode.OK
