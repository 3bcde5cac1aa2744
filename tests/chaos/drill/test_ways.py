"""Three hundred groups that cannot be drilled are one line."""

from chaos.drill.ways import MOST_LINES, Ways


def said(*groups, reason="no redirect: group {!r} cannot be redirected"):
    """What is said of groups of one reason."""
    ways = Ways()
    for group in groups:
        ways.add(group, "cannot be drilled", reason.format(group))
        ways.add(group, "cannot be drilled", reason.format(group))  # by another scenario
    return list(ways.lines())


def test_many_groups_of_one_reason_are_counted_and_some_named():
    """The reason is there once."""
    (line,) = said(*(f"g{n}" for n in range(298)))
    assert line == (
        "298 groups: cannot be drilled, no redirect: the group cannot be redirected "
        "(g0, g1, g2 and 295 more)"
    )


def test_a_few_have_a_line_each():
    """With their own names."""
    lines = said("a", "b", "c")
    assert len(lines) == MOST_LINES
    assert lines[1] == "b: cannot be drilled, no redirect: group 'b' cannot be redirected"


def test_a_reason_that_names_another_hop_is_said_once():
    """Groups that fall back to one hop share what is wrong with it."""
    assert said("a", "b", reason="no redirect: hop 'gemma' is odd") == [
        "a: cannot be drilled, no redirect: hop 'gemma' is odd"
    ]
