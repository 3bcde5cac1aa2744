"""The report that others build on."""

import json

import pytest

from supervisor.audit.finding import AuditFinding
from supervisor.audit.report import AuditReport, exit_code, report_of


def finding(severity, subject="claude", code="no_fallback"):
    """Make one finding."""
    return AuditFinding(code, severity, subject, "seen", "do\n  this")


def test_the_report_is_what_the_contract_says():
    """Its schema's name, and six fields per finding; groups were added."""
    text = report_of([finding("error")]).model_dump_json(by_alias=True)
    assert json.loads(text) == {
        "schema": "understudy/audit-report/1",
        "findings": [
            {
                "code": "no_fallback",
                "severity": "error",
                "subject": "claude",
                "message": "seen",
                "remedy": "do\n  this",
                "groups": [],
            }
        ],
    }
    assert AuditReport.model_validate_json(text) == report_of([finding("error")])


@pytest.mark.parametrize(
    ("severities", "code"),
    [([], 0), (["info"], 0), (["info", "warning"], 1), (["error"], 1)],
)
def test_notes_do_not_fail_a_run(severities, code):
    """Errors and warnings do."""
    assert exit_code(report_of([finding(severity) for severity in severities])) == code
