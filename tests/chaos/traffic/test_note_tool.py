"""The tools of the smaller shapes."""

from chaos.traffic.note_tool import (
    RECORD_NOTE,
    as_json,
    demand,
    expected,
    full_note,
    short_note,
)


def test_arguments_are_of_every_type_that_parsers_have_broken():
    """A string, a whole number, a boolean, a choice and a list of strings."""
    properties = RECORD_NOTE.parameters["properties"]
    assert [properties[name]["type"] for name in full_note("n")] == [
        "string",
        "integer",
        "boolean",
        "string",
        "array",
    ]
    assert full_note("n")["priority"] in properties["priority"]["enum"]
    assert properties["tags"]["items"] == {"type": "string"}


def test_the_short_note_has_what_is_required_and_no_more():
    """Optional arguments are left out."""
    assert list(short_note("n")) == RECORD_NOTE.parameters["required"]


def test_a_demand_names_the_tool_and_spells_the_arguments_out():
    """Nothing is left to decide."""
    said = demand(RECORD_NOTE, short_note("3fa91c02"))
    assert said == 'Call the tool record_note with {"note": "3fa91c02", "count": 3}.'


def test_an_expected_call_knows_its_schema():
    """Other arguments than the demanded ones have to fit it too."""
    call = expected(RECORD_NOTE, short_note("n"))
    assert (call.name, call.schema) == (RECORD_NOTE.name, RECORD_NOTE.parameters)


def test_json_is_written_as_it_is_read_by_people():
    """Letters beyond ASCII stay letters."""
    assert as_json({"ä": 1}) == '{"ä": 1}'
