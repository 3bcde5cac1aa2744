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
