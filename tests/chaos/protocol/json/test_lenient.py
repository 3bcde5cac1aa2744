"""Requests are taken apart without complaint."""

import pytest

from chaos.protocol.json.lenient import (
    as_json_text,
    as_object,
    either,
    mapping,
    mappings,
    number,
    optional_text,
    sum_of,
    text,
    whole,
)


@pytest.mark.parametrize("odd", [None, 1, "x", [1], True])
def test_what_is_no_object_counts_as_an_empty_one(odd):
    """An object is never anything else."""
    assert mapping(odd) == {}


def test_lists_keep_their_objects_only():
    """What is no object is left out of a list of objects."""
    assert mappings([{"a": 1}, 2, None]) == [{"a": 1}]
    assert mappings({"a": 1}) == []


def test_texts_and_numbers_are_of_their_type_or_absent():
    """A value of another type counts as none; true is no number."""
    assert (text(5), optional_text(5), whole(True), whole(2.5), number(True)) == (
        "",
        None,
        None,
        None,
        None,
    )
    assert (text("a"), whole(3), number(2.5)) == ("a", 3, 2.5)


def test_both_spellings_of_a_field_are_found():
    """Google's APIs take camelCase and snake_case alike."""
    assert either({"function_call": 1}, "functionCall") == 1
    assert either({"functionCall": 2, "function_call": 1}, "functionCall") == 2
    assert either({}, "functionCall") is None


def test_arguments_are_passed_as_compact_json():
    """Tool arguments keep their characters and lose their spaces."""
    assert as_json_text({"city": "Zürich", "n": 1}) == '{"city":"Zürich","n":1}'
    assert as_object('{"city": "Zürich"}') == {"city": "Zürich"}
    assert as_object("[1]") == as_object("{") == {}


def test_whole_numbers_are_added_up_where_there_are_any():
    """Nothing told is not nought."""
    assert (sum_of(None, "2"), sum_of(1, None), sum_of(1, 2)) == (None, 1, 3)
