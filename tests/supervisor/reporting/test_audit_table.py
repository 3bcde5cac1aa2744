"""The audit for people: everything that was seen, every remedy once."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from supervisor.audit.finding import AuditFinding
from supervisor.audit.report import MOST_GROUPS, report_of
from supervisor.reporting.audit_table import MOST_SHOWN, draw


def printed(*findings, columns=100):
    """Print a report of these findings."""
    file = io.StringIO()
    Console(file=file, width=columns, highlight=False).print(draw(report_of(findings)))
    return file.getvalue()


def finding(subject, remedy, code="no_fallback", severity="error"):
    """Make one finding."""
    return AuditFinding(code, severity, subject, f"group {subject!r} is alone", remedy)


def test_a_clean_report_says_so_and_goes_on():
    """Nothing found is not everything proven."""
    assert "Nothing found" in printed()
    assert "drill it" in printed()


def test_remedies_that_differ_in_one_entry_are_one():
    """Eight groups need one list with eight lines."""
    text = printed(*[finding(n, f"Write:\nfallbacks:\n- {n}: [local]") for n in "abc"])
    assert text.count("Write:") == 1
    assert [text.index(f"- {n}: [local]") for n in "abc"] == sorted(
        text.index(f"- {n}: [local]") for n in "abc"
    )
    assert "3 errors, 0 warnings, 0 info" in text


def test_equal_remedies_are_written_once_and_others_each():
    """Each remedy stands on its own lines."""
    text = printed(finding("a", "one"), finding("b", "one"), finding("c", "two"))
    assert (text.count("→ one"), text.count("→ two")) == (1, 1)


def test_remedies_that_begin_alike_and_hold_no_entries_stay_whole():
    """Their last lines are no items of a list."""
    text = printed(finding("a", "Start it:\n--flag a"), finding("b", "Start it:\n--flag b"))
    assert text.count("→ Start it:") == 2


def test_a_gateway_with_hundreds_of_groups_is_still_readable():
    """What is not shown is named."""
    names = [f"group-{n:03}" for n in range(MOST_SHOWN + 3)]
    text = printed(*[finding(n, "do it") for n in names])
    assert text.count("is alone") == MOST_SHOWN
    assert f"and 3 more: {', '.join(names[-3:])}" in text


@pytest.mark.parametrize("columns", [40, 80])
def test_names_with_brackets_are_no_markup(columns):
    """Whoever names a group [red] is told of [red]."""
    assert "'[red]'" in printed(finding("[red]", "[/]"), columns=columns)


def test_the_groups_of_a_finding_are_named_up_to_a_number():
    """Those that its sentence names already are not repeated."""
    names = tuple(f"g{n:02}" for n in range(MOST_GROUPS + 3))
    many = printed(replace(finding("g00", "do it"), groups=names))
    assert "(also: g01, g02, " in many
    assert "and 2 more)" in many
    setting = AuditFinding("x", "info", "some.setting", "it is on", "", ("a", "b"))
    assert "it is on (groups: a, b)" in printed(setting)
    named = AuditFinding("x", "info", "some.setting", "it is on for 'a', 'b'", "", ("a", "b"))
    assert "groups" not in printed(named)
