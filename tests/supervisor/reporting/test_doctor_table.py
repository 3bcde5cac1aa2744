"""A check-up for people: every item, and a remedy that several share once."""

import io

import pytest
from rich.console import Console

from chaos.naming import MOST_NAMED
from supervisor.doctor.items import fail, ok, warn
from supervisor.reporting.doctor_table import MOST_SHOWN, draw

ELSEWHERE = "What is only counted here is listed by --format json."


def printed(*items):
    """Print these items."""
    file = io.StringIO()
    Console(file=file, width=60, highlight=False).print(draw(items), crop=False)
    return file.getvalue()


def engine(name):
    """An engine that does not answer."""
    return fail("engine", f"{name} is down", f"Name it:\nengines:\n  {name}: u\nElse start it.")


def test_every_item_has_its_line_and_what_is_wrong_its_remedy():
    """What is well is a line."""
    text = printed(ok("a", "fine"), warn("b", "so so", "Look."), fail("c", "no", "Do:\nthis"))
    assert text.splitlines() == [
        *("ok   fine", "warn so so", "      → Look."),
        *("fail no", "      → Do:", "          this"),
    ]


def test_engines_that_need_the_same_share_a_remedy():
    """Each has its entry in it."""
    assert printed(engine("a"), engine("b")).splitlines() == [
        *("fail a is down", "fail b is down", "      → Name it:", "          engines:"),
        *("            a: u", "            b: u", "      → Else start it."),
    ]


def test_dozens_of_engines_are_counted():
    """Where the rest is listed is said."""
    text = printed(*[engine(f"e{n}") for n in range(MOST_SHOWN + 3)])
    assert text.count(" is down\n") == text.count(": u\n") == MOST_SHOWN
    assert "     and 3 more\n" in text
    assert "            # and 3 more: --format json\n" in text
    assert text.endswith(f"{ELSEWHERE}\n")


@pytest.mark.parametrize(
    "items",
    [
        [fail("engine", "a is down", "Start a."), fail("engine", "b hangs", "Restart b.")],
        [fail("engine", "a is down", "Start."), warn("engine", "b is busy", "Start.")],
        [fail("engine", "a is down", "Start."), ok("x", "fine"), fail("engine", "b", "Start.")],
    ],
)
def test_remedies_that_differ_stay_under_their_items(items):
    """Also those of items that are not in a row, or not as bad."""
    lines = printed(*items).splitlines()
    for item in items:
        if item.remedy:
            at = lines.index(f"{item.status:5}{item.message}")
            assert lines[at + 1] == f"      → {item.remedy}"


def test_items_that_are_well_are_all_shown():
    """They have no remedy in common; they have none."""
    assert printed(*[ok("file", f"f{n}") for n in range(MOST_SHOWN + 3)]).count("ok ") == 15


@pytest.mark.parametrize(("count", "told"), [(MOST_NAMED, False), (MOST_NAMED + 1, True)])
def test_where_every_group_is_listed_is_told_if_some_are_only_counted(count, told):
    """The JSON has them all."""
    groups = [f"g{n}" for n in range(count)]
    assert (ELSEWHERE in printed(ok("permissions", "may be redirected", groups))) is told
