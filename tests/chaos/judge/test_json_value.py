"""Tests of reading and comparing JSON that models write."""

import pytest

from chaos.judge.json_value import doubled_key, json_object, json_value, same, undeclared, violation


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


def test_a_key_that_comes_twice_is_found():
    """Readers differ in which of the two values they take."""
    assert doubled_key('{"a": 1, "b": {"c": 1, "c": 2}}') == "c"
    assert doubled_key('[{"a": 1}, {"a": 2}]') is None
    assert doubled_key("no JSON") is None


def test_a_property_that_the_schema_does_not_declare_is_found():
    """At any depth; a schema that lists none, or allows others, leaves them open."""
    inner = {"type": "object", "properties": {"a": {}}}
    schema = {"type": "object", "properties": {"x": inner, "l": {"items": inner}, "o": {}}}
    assert undeclared({"x": {"a": 1}, "l": [{"a": 2}], "o": {"any": 1}}, schema) is None
    assert undeclared({"y": 1}, schema) == "y"
    assert undeclared({"x": {"b": 1}}, schema) == "x.b"
    assert undeclared({"l": [{"a": 1}, {"c": 1}]}, schema) == "l.c"
    assert undeclared({"y": 1}, {**schema, "additionalProperties": True}) is None
    assert undeclared({"y": 1}, {"type": "object"}) is None
