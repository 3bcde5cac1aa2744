"""Every audit is run, and errors come first."""

from pathlib import Path

import supervisor.audit.rules
from supervisor.audit.rules import AUDITS, run_audits
from tests.fakes.audit_findings import audited, brief


def test_every_file_is_listed():
    """An audit that nobody runs finds nothing."""
    folder = Path(supervisor.audit.rules.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert {audit.__module__.rpartition(".")[2] for audit in AUDITS} == files


def test_every_audit_says_what_it_finds():
    """The first line of its docstring is its documentation."""
    assert [audit.__name__ for audit in AUDITS if not (audit.__doc__ or "").strip()] == []


def test_errors_come_first_and_otherwise_the_order_of_audits():
    """A reader mends from the top."""
    found = run_audits(audited({"claude": ["gpt"], "alone": []}))
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities, key=("error", "warning", "info").index)
    assert [finding.code for finding in found][:1] == ["no_fallback"]


def test_a_gateway_without_anything_is_survived():
    """Every audit can stand an empty gateway; that it is empty is all there is to say."""
    assert brief(run_audits(audited({}))) == [("no_models", "error", "model_list")]
