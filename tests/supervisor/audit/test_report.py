"""The report that others build on."""

import json

import pytest

from supervisor.audit.finding import AuditFinding
from supervisor.audit.report import (
    MOST_GROUPS,
    AuditReport,
    FindingRow,
    exit_code,
    report_of,
    sentence,
)


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


def test_a_sentence_names_the_groups_that_its_message_does_not():
    """Up to a number, whoever shows it."""
    row = FindingRow(code="c", severity="info", subject="g0", message="'g0' is off", remedy="")
    assert sentence(row) == "'g0' is off"
    groups = tuple(f"g{n}" for n in range(MOST_GROUPS + 3))
    told = sentence(row.model_copy(update={"groups": groups}))
    assert told.startswith("'g0' is off (also: g1, g2, ")
    assert told.endswith("g8 and 2 more)")
