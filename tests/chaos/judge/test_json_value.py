"""Tests of reading and comparing JSON that models write."""

import pytest

from chaos.judge.json_value import json_object, json_value, same, violation


@pytest.mark.parametrize("text", ["", "{", "null", "3", '{"a": NaN}', "[1]", "{} x", "[" * 99999])
def test_only_a_whole_object_is_one(text):
    """Anything else is told as None, never as an error."""
    assert json_object(text) is None


def test_objects_and_lists_are_values():
    """Structured output may be either."""
    assert json_object('{"a": 1}') == {"a": 1}
    assert json_value("[1]") == [1]


def test_a_violation_names_its_place():
    """The message says where the value breaks its schema."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert violation({"a": 1}, schema) is None
    assert (violation({"a": "x"}, schema) or "").startswith("a: ")


def test_a_schema_that_is_none_is_broken_by_nothing():
    """A client profile may bring anything."""
    assert violation({}, {"type": "nonsense"}) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        ("3", 3, False),
        ([1, {"a": "b"}], [1, {"a": "b"}], True),
        ([1], [1, 2], False),
        ([1], [2], False),
        ([1], {"a": 1}, False),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, "a", False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (None, None, True),
    ],
)
def test_values_are_the_same_with_their_types(one, other, equal):
    """A number is no text, and true is no one."""
    assert same(one, other) is equal


def test_any_other_nonce_will_do_for_a_sample():
    """A direct request carried a nonce of its own, in the same place."""
    assert same({"a": "x 7f3a91c2."}, {"a": "x 00c0ffee."}, any_nonce_for="7f3a91c2")
    assert same("blue tree cup sun", "red cow tin man", any_nonce_for="blue tree cup sun")
    assert not same("x 7f3a91c2.", "y 00c0ffee.", any_nonce_for="7f3a91c2")
    assert not same("x", "y", any_nonce_for="7f3a91c2")
    assert not same("7f3a91c2", "", any_nonce_for="7f3a91c2")
