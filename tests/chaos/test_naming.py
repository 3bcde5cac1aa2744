"""Some of many are named, the rest are counted."""

from chaos.naming import all_or_count, some_of


def test_a_few_are_named_and_the_rest_counted():
    """Three hundred groups are no wall of text."""
    assert some_of("abc") == "a, b, c"
    assert some_of(["a", "b", "a"]) == "a, b"
    assert some_of(map(str, range(298))) == "0, 1, 2 and 295 more"


def test_many_are_only_counted_where_there_is_little_room():
    """A cell of a table names all or none."""
    assert all_or_count(["a", "b", "a"], "groups") == "a, b"
    assert all_or_count("abcd", "groups") == "4 groups"
