"""The audit for people: everything that was seen, every remedy once."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from supervisor.audit.finding import AuditFinding
from supervisor.audit.report import MOST_GROUPS, report_of
from supervisor.reporting.audit_table import MOST_SHOWN, draw

EVERY = "Every one of them: --format json"


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
    """What is not shown is counted, its entries too, and where all of it is."""
    names = [f"group-{n:03}" for n in range(MOST_SHOWN + MOST_GROUPS + 3)]
    told = [finding(n, f"Write:\nfallbacks:\n- {n}: [x]") for n in names]
    text = re.sub(r" +\n", "\n", printed(*told, columns=200))
    assert text.count("is alone") == text.count(": [x]") == MOST_SHOWN
    left = f"{MOST_GROUPS + 3} more"
    assert f"and {left}: {', '.join(names[MOST_SHOWN:-3])} and 3 more\n" in text
    assert f"\n      # and {left}: --format json\n" in text
    assert text.endswith(f"{len(names)} errors, 0 warnings, 0 info\n{EVERY}\n")


def test_what_is_shown_whole_speaks_of_no_other_form():
    """Also where a finding has as many groups as a sentence names."""
    names = tuple(f"g{n:02}" for n in range(MOST_GROUPS))
    rows = [replace(finding(f"g{n}", "do it"), groups=names) for n in range(MOST_SHOWN)]
    assert EVERY not in printed(*rows)
    assert EVERY in printed(*rows, finding("z", "do it"))
    assert EVERY in printed(replace(rows[0], groups=(*names, "z")))


def test_remedies_that_have_nothing_in_common_are_shown_up_to_a_number():
    """A remedy for each of hundreds of groups is nothing that anybody reads."""
    text = printed(*[finding(f"g{n}", f"Do {n}.") for n in range(MOST_SHOWN + 2)])
    assert text.count("→ Do ") == MOST_SHOWN
    assert "→ and 2 more such remedies\n" in text


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
