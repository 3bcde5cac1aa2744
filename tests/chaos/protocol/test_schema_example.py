"""Values that fit a schema."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chaos.protocol.schema_example import example, find_nonce, has_the_keys_of

NONCE = "3fa91c02"
SCHEMAS = [
    {"type": "string"},
    {"type": "string", "minLength": 12, "maxLength": 14},
    {"type": "string", "maxLength": 3},
    {"type": "string", "enum": ["a", "b"]},
    {"const": {"a": 1}},
    {"type": "integer", "minimum": 5},
    {"type": "integer", "exclusiveMinimum": 5, "maximum": 9},
    {"type": "integer", "maximum": -3},
    {"type": "number", "multipleOf": 4, "minimum": 6},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["null", "integer"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3},
    {"type": "array"},
    {"items": {"type": "boolean"}},
    {"type": "object", "properties": {"a": {"type": "integer"}}},
    {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a", "b"]},
    {"properties": {"a": {"enum": [3, 4]}}, "required": ["a"]},
    {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    {"oneOf": [{"type": "object", "properties": {"x": {}}, "required": ["x"]}]},
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    {
        "$defs": {"colour": {"enum": ["red", "blue"]}},
        "type": "object",
        "properties": {"colour": {"$ref": "#/$defs/colour"}},
        "required": ["colour"],
    },
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["name"],
            }
        },
        "$ref": "#/$defs/node",
    },
    {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "more": {"items": {"$ref": "#"}}},
        "required": ["n", "more"],
    },
    {},
]
BROKEN = [
    {"$ref": "#"},
    {"$ref": "#/nowhere"},
    {"allOf": [{"$ref": "#"}]},
    {"type": 7},
    {"type": "object", "properties": 3, "required": True},
    {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    {"type": "array", "minItems": 10**9},
    {"type": "array", "minItems": 9, "items": {"$ref": "#"}},
    {"type": "string", "minLength": 10**9},
    {"type": "integer", "minimum": "x", "multipleOf": 0},
    {"enum": []},
    {"anyOf": 1, "items": 2},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize("said", ["", f"a = 4, name is {NONCE}, colour = blue."])
def test_an_example_fits_its_schema(schema, said):
    """Whatever the prompt says, the value is one that a validator takes."""
    assert list(Draft202012Validator(schema).iter_errors(example(schema, said))) == []


@pytest.mark.parametrize("schema", BROKEN, ids=str)
def test_a_schema_that_is_none_breaks_nothing(schema):
    """A stand-in has to answer whatever a client sends, and soon."""
    assert len(repr(example(schema, NONCE))) < 100_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "required", "enum", "anyOf", "$ref", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(schema=st.dictionaries(st.sampled_from(["type", "properties", "items", "allOf"]), JSON))
@settings(max_examples=60, deadline=None)
def test_no_json_makes_it_raise(schema):
    """Schemas come from anybody."""
    example(schema, "a = 1")


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("token = x1, count = 7, on = false", {"token": "x1", "count": 7, "on": False}),
        ('"token": "x 1", "count": -7', {"token": "x 1", "count": -7, "on": True}),
        ("The token is x1. The count is 7.", {"token": "x1", "count": 7, "on": True}),
        (f"Say {NONCE}.", {"token": NONCE, "count": 1, "on": True}),
        ("nothing", {"token": "stand-in", "count": 1, "on": True}),
        ("my_token = a, tokens = b", {"token": "stand-in", "count": 1, "on": True}),
    ],
)
def test_what_the_prompt_says_is_the_value(said, value):
    """A property that the prompt gives a value gets it; other texts get the nonce."""
    schema = {
        "type": "object",
        "properties": {
            "token": {"type": "string"},
            "count": {"type": "integer"},
            "on": {"type": "boolean"},
        },
        "required": ["token", "count", "on"],
    }
    assert example(schema, said) == value


def test_optional_properties_are_left_out_unless_named():
    """Nothing is filled in that nobody asked for."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}, "c": {}},
        "required": ["a"],
    }
    assert example(schema, "b = 2") == {"a": 1, "b": 2}


def test_a_choice_is_only_what_is_on_offer():
    """A value that the prompt names but the schema lacks is not made."""
    schema = {"type": "object", "properties": {"s": {"enum": ["low", "high"]}}, "required": ["s"]}
    assert example(schema, "s = high") == {"s": "high"}
    assert example(schema, "s = middle") == {"s": "low"}


def test_types_in_capitals_are_understood():
    """Gemini's schemas write them so."""
    schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}, "required": ["n"]}
    assert example(schema) == {"n": 1}


@pytest.mark.parametrize(
    ("text", "nonce"),
    [
        (f"Say {NONCE}.", NONCE),
        (f"deadbeef and then {NONCE}", NONCE),
        ("lamp-river-stone-apple", "lamp-river-stone-apple"),
        (f"lamp-river-stone-apple {NONCE}", NONCE),
        (f"x{NONCE}", None),
        (f"{NONCE}0", None),
        ("3FA91C02", None),
        ("one-two-three", None),
        ("one-two-three-four-five", None),
        ("", None),
    ],
)
def test_a_nonce_is_found_by_its_form(text, nonce):
    """The last of eight digits, else of four words; never part of something longer."""
    assert find_nonce(text) == nonce


@pytest.mark.parametrize(
    ("value", "fits"),
    [({"a": 1}, True), ({"a": 1, "b": 2}, True), ({"b": 2}, False), ({"a": 1, "c": 3}, False)],
)
def test_keys_tell_whose_arguments_they_are(value, fits):
    """All that are required, and none that is unknown."""
    schema = {"properties": {"a": {}, "b": {}}, "required": ["a"]}
    assert has_the_keys_of(value, schema) is fits
