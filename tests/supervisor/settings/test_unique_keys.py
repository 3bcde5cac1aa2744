"""A key that is there twice is noted with both lines."""

import pytest

from supervisor.settings.unique_keys import UniqueKeysLoader


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("a: 1\nb: 2\na: 3\n", ["a: is there twice, at lines 1 and 3"]),
        ("x: [{a: 1, a: 2}]", ["a: is there twice, at lines 1 and 1"]),
        ("a: {a: 1}\nb: {a: 1}\n", []),
        ("1: x\n'1': y\n", []),
        ("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: {<<: *a, <<: *a}\n", []),
    ],
)
def test_only_two_of_one_mapping_are_the_same(text, twice):
    """Names of other mappings, other types and merged ones are none."""
    loader = UniqueKeysLoader(text)
    loader.get_single_data()
    assert loader.twice == twice
