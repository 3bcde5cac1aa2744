"""Tests of comparing schemas by what they mean."""

import copy
from typing import Any

import pytest

from chaos.judge.schema_meaning import same_meaning

PLAIN = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "enum": ["a", "b"]},
        "age": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "home": {"$ref": "#/$defs/place"},
    },
    "required": ["name", "age"],
    "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
RESPELT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "additionalProperties": False,
    "type": "OBJECT",
    "properties": {
        "name": {"enum": ["b", "a"]},
        "age": {"type": "INTEGER", "nullable": True},
        "tags": {"type": "ARRAY", "items": {"type": "STRING"}, "description": "some"},
        "home": {"properties": {"city": {"type": "STRING"}}},
    },
    "required": ["age", "name"],
}


def test_spelling_does_not_matter():
    """References, capitals, null, order and annotations mean the same."""
    assert same_meaning(PLAIN, RESPELT)


def _without(*path):
    changed = copy.deepcopy(RESPELT)
    place: Any = changed
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return changed


@pytest.mark.parametrize(
    "path",
    [
        ("required",),
        ("properties", "name"),
        ("properties", "name", "enum"),
        ("properties", "age", "nullable"),
        ("properties", "age", "type"),
        ("properties", "tags", "items"),
        ("properties", "home", "properties", "city"),
    ],
)
def test_what_is_lost_changes_the_meaning(path):
    """Properties, values, types, requirements and null are what a schema says."""
    assert not same_meaning(PLAIN, _without(*path))


def test_a_recursive_schema_ends():
    """A tree refers to itself."""
    tree = {"properties": {"child": {"$ref": "#"}}}
    assert same_meaning(tree, tree)
    assert same_meaning({"$ref": "#"}, {"$ref": "#"})


def test_an_empty_object_may_be_spelt_out():
    """A tool without parameters has an object without properties."""
    assert same_meaning({"type": "object", "properties": {}}, {"type": "object"})


@pytest.mark.parametrize("word", ["minimum", "minLength", "exclusiveMinimum", "maxItems"])
def test_a_limit_of_zero_is_a_limit(word):
    """Nought is not nothing."""
    assert not same_meaning({"type": "integer", word: 0}, {"type": "integer"})
    said = {"type": "integer", "description": "Between 0 and 5."}
    assert same_meaning({"type": "integer", word: 0}, said)
    other = {"type": "integer", "description": "Between 10 and 50."}
    assert not same_meaning({"type": "integer", word: 0}, other)


def test_a_schema_inside_itself_many_times_over_ends():
    """Filters are written so: and, or, not, each a list of filters."""
    again = {"$ref": "#/$defs/filter"}
    many = {"type": "array", "items": again}
    filters = {"type": "object", "properties": {"and": many, "or": many, "not": again}}
    schema = {"$defs": {"filter": filters}, "properties": {"where": again}}
    respelt = {**schema, "additionalProperties": False}
    assert same_meaning(schema, respelt)
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(9000)}}
    assert same_meaning(wide, {**wide, "title": "wide"})


@pytest.mark.parametrize(
    "broken",
    [
        {"required": True},
        {"enum": None},
        {"properties": [1]},
        {"type": 7},
        {"anyOf": 3},
        {"items": [{"type": "string"}]},
        {"description": 4},
        {"$ref": "#/nowhere"},
    ],
)
def test_what_is_no_schema_means_nothing_and_raises_nothing(broken):
    """A client profile's schema may be anybody's."""
    assert same_meaning(broken, {**broken, "title": "x"})


def test_a_list_of_types_is_a_choice_among_them():
    """Google's schemas know no lists."""
    either = {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}
    assert same_meaning({"type": ["string", "integer"]}, either)
    assert not same_meaning({"type": ["string", "number"]}, either)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"description": "anything"}, {"type": "OBJECT", "description": "anything"}),
        ({"type": "array", "items": {}}, {"type": "ARRAY", "items": {"type": "OBJECT"}}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "INTEGER"}),
        ({"type": "string", "const": "a"}, {"type": "STRING"}),
    ],
)
def test_what_a_format_has_no_place_for_is_not_missed_there(one, other):
    """Measured: what LiteLLM 1.106.2 makes of it for Gemini."""
    lacks = {"type", "enum", "const"}
    assert same_meaning(one, other, lacks=lacks)
    assert not same_meaning(one, other)
    texts = {"type": "string", "enum": ["a", "b"]}
    assert not same_meaning(texts, {"type": "STRING"}, lacks=lacks)


def test_descriptions_are_what_a_model_goes_by():
    """They may be added to, not lost."""
    named = {"type": "string", "description": "An absolute path."}
    assert not same_meaning(named, {"type": "string"})
    assert same_meaning(named, {"type": "string", "description": "An absolute\npath. Note: short."})


def test_parts_that_all_hold_add_up():
    """A gateway that keeps only the last part of allOf has lost the others."""
    one: dict[str, Any] = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    two: dict[str, Any] = {"properties": {"b": {"type": "integer"}}, "required": ["b"]}
    own: dict[str, Any] = {"type": "object", "properties": {"c": {"type": "null"}}}
    whole = {**own, "allOf": [one, two]}
    together = {
        "type": "object",
        "properties": {**own["properties"], **one["properties"], **two["properties"]},
        "required": ["a", "b"],
    }
    assert same_meaning(whole, together)
    for lost in ({**own, "allOf": [two]}, {"type": "object", "allOf": [one, two]}, two):
        assert not same_meaning(whole, lost)
