"""Tests of what differs between what the client asked and what a hop was asked."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.judge.request_changes import changes
from chaos.protocol.conversation import Ask, ResponseSchema, ToolCall, ToolSpec, Turn

LIMITED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "pattern": "^[0-9a-f]{8}$", "maxLength": 8},
        "mail": {"type": "string", "format": "email"},
        "count": {"type": "integer", "minimum": 1, "multipleOf": 2},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    },
}
TOOL = ToolSpec("find_parcel", "Find a parcel.", LIMITED)
CALLS = (
    ToolCall("call00001", "find_parcel", '{"number": 7, "deep": [1, 2]}'),
    ToolCall("call00002", "weigh", '{"number": 7}'),
)
QUESTION = Turn("user", "Where is it?", images=("aGk=", "aG8="))
RESULTS = (
    Turn("tool", '{"code": "ab12", "at": 7}', tool_call_id="call00001"),
    Turn("tool", "three kilograms", tool_call_id="call00002"),
)
SENT = Ask(
    turns=(Turn("system", "Be brief."), QUESTION, Turn("assistant", tool_calls=CALLS), *RESULTS),
    tools=(TOOL,),
    max_tokens=512,
    temperature=0.0,
)


def _turns(**by_place):
    turns = list(SENT.turns)
    for place, turn in by_place.items():
        turns[int(place.removeprefix("n"))] = turn
    return {"turns": tuple(turns)}


def _limits(**properties):
    tool = replace(TOOL, parameters={"type": "object", "properties": properties})
    return {"tools": (tool,)}


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (_turns(n3=replace(RESULTS[0], text='{"code": "ab13", "at": 7}')), "became"),
        (_turns(n4=replace(RESULTS[1], text="three")), "became"),
        (_turns(n3=replace(RESULTS[0], tool_call_id="call00002")), "belongs to"),
        (_turns(n3=replace(RESULTS[0], tool_call_id=None)), "belongs to"),
        (_turns(n3=RESULTS[1], n4=RESULTS[0]), "comes before"),
        (_turns(n1=replace(QUESTION, role="assistant")), "is gone or changed"),
        ({"turns": (SENT.turns[0], *SENT.turns[2:], QUESTION)}, "comes before"),
        (
            {"turns": (*SENT.turns, replace(RESULTS[0], text="another"))},
            "1 tool results were added",
        ),
        (
            {"turns": (*SENT.turns, Turn("assistant", tool_calls=CALLS[:1]))},
            "1 earlier tool calls were added",
        ),
        ({"tools": (TOOL, replace(TOOL, parameters={}))}, "the tool find_parcel came twice"),
        ({"turns": SENT.turns[:-1]}, "1 of 2 tool results are gone"),
        (
            _turns(n2=Turn("assistant", tool_calls=(replace(CALLS[0], arguments="{}"), CALLS[1]))),
            "has the arguments",
        ),
        (_turns(n2=Turn("assistant", tool_calls=CALLS[:1])), "the earlier call of weigh is gone"),
        (_turns(n2=Turn("assistant", tool_calls=CALLS[::-1])), "comes after"),
        (
            {"turns": (*SENT.turns[:2], SENT.turns[3], SENT.turns[2], SENT.turns[4])},
            "comes before what was said before it",
        ),
        (
            {"turns": (SENT.turns[0], SENT.turns[2], SENT.turns[1], *SENT.turns[3:])},
            "the earlier call of find_parcel comes before",
        ),
        (
            _turns(n2=Turn("assistant", tool_calls=(replace(CALLS[0], id="z"), CALLS[1]))),
            "belongs to the call",
        ),
        (_turns(n3=replace(RESULTS[0], text='{"at": 7.5, "code": "ab12"}')), "became"),
        (
            {"response_schema": ResponseSchema("answer", {"type": "object"})},
            "a response schema was added",
        ),
        (_turns(n1=replace(QUESTION, images=("aGk=",))), "1 of 2 pictures are gone"),
        (_turns(n1=replace(QUESTION, images=("aGk=", "aGk="))), "a picture is another"),
        (_turns(n1=replace(QUESTION, images=("aG8=", "aGk="))), "a picture is another"),
        (_turns(n1=replace(QUESTION, images=("aGk=", "aG8=", "aG8="))), "a picture is another"),
        ({"max_tokens": 64}, "max_tokens is 64 instead of 512"),
        ({"max_tokens": None}, "max_tokens is None instead of 512"),
        ({"temperature": 1.0}, "temperature is 1.0 instead of 0.0"),
        ({"tools": (TOOL, ToolSpec("search", "", {}))}, "the tool search was added"),
        ({"tools": (replace(TOOL, description="Do."),)}, "description of the tool find_parcel"),
        ({"tools": ()}, "the tool find_parcel is gone"),
        ({"turns": (QUESTION, SENT.turns[0], *SENT.turns[2:])}, "comes before another"),
        (_turns(n0=Turn("system", "Be")), "is gone or changed"),
    ],
)
def test_every_part_of_the_request_is_compared(asked, what):
    """What a hop was asked is what the client asked, to the last id."""
    assert what in next(changes(SENT, replace(SENT, **asked)), "nothing")


@pytest.mark.parametrize("place", ["code", "mail", "count", "tags"])
def test_a_limit_that_is_lost_changes_the_schema(place):
    """A pattern or a minimum is why a client may use arguments unchecked."""
    properties = dict(LIMITED["properties"])
    kept = {"type": properties[place]["type"], "items": properties[place].get("items")}
    properties[place] = {k: v for k, v in kept.items() if v is not None}
    asked = replace(SENT, **_limits(**properties))
    assert list(changes(SENT, asked)) == ["the schema of the tool find_parcel is another"]


def test_another_limit_changes_the_schema():
    """A limit may neither be widened nor be added."""
    wider = {**LIMITED["properties"], "count": {"type": "integer", "minimum": 0, "multipleOf": 2}}
    tighter = {
        **LIMITED["properties"],
        "mail": {"type": "string", "format": "email", "minLength": 9},
    }
    for properties in (wider, tighter):
        assert list(changes(SENT, replace(SENT, **_limits(**properties))))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"temperature": None},
        {"parallel_tool_calls": True},
        # Gemini: a result that is JSON becomes an object, and its calls have no ids.
        _turns(n3=Turn("tool", '{"at":7,"code":"ab12"}', tool_call_id="find_parcel")),
        _turns(
            n2=Turn("assistant", tool_calls=(replace(CALLS[0], id="t1"), CALLS[1])),
            n3=replace(RESULTS[0], tool_call_id="t1"),
        ),
        _turns(
            n2=Turn(
                "assistant",
                tool_calls=(replace(CALLS[0], arguments='{"deep":[1,2],"number":7}'), CALLS[1]),
            )
        ),
        _turns(n1=replace(QUESTION, text="Where\nis it?", images=("aGk", "aG8"))),
        {"turns": (Turn("system", "House rules."), *SENT.turns)},
        {"tools": (TOOL, ToolSpec("web_search", "", {}))},
        {"tools": (replace(TOOL, description="Find a parcel. Note: be quick."),)},
    ],
)
def test_additions_and_spelling_are_no_changes(asked):
    """What the deployment, the format or JSON itself explains is not held against a gateway."""
    assert list(changes(SENT, replace(SENT, **asked), own_tools={"web_search"})) == []


def test_what_the_client_left_open_may_be_filled_in():
    """Anthropic wants a limit, and Gemini gets a temperature."""
    left_open = replace(SENT, max_tokens=None, temperature=None)
    assert list(changes(left_open, SENT)) == []


def test_words_that_a_format_lacks_are_not_missed():
    """Gemini's own schemas know neither multiples nor most formats."""
    properties = {
        **LIMITED["properties"],
        "mail": {"type": "STRING"},
        "count": {"type": "INTEGER", "minimum": 1, "format": "int32"},
    }
    asked = _limits(**properties)["tools"][0]
    assert list(changes(SENT, replace(SENT, tools=(asked,))))
    lacking = replace(asked, lacks=frozenset({"multipleOf", "format"}))
    assert list(changes(SENT, replace(SENT, tools=(lacking,)))) == []


def test_a_limit_may_be_said_in_the_description():
    """For Anthropic's structured outputs LiteLLM says in words what the API refuses."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}
    said = {"type": "integer", "description": "Note: minimum value: 3."}
    sent = Ask(turns=SENT.turns[:2], response_schema=ResponseSchema("form", schema))
    for about, expected in ((said, []), ({"type": "integer"}, ["the response schema is another"])):
        own = ResponseSchema("x", {"type": "object", "properties": {"n": about}})
        assert list(changes(sent, replace(sent, response_schema=own))) == expected


def test_inputs_keep_their_order():
    """A vector belongs to its text."""
    sent = Ask(inputs=("one", "two"))
    assert list(changes(sent, Ask(inputs=("one ", "two")))) == []
    assert list(changes(sent, Ask(inputs=("two", "one"))))
    assert list(changes(sent, Ask(inputs=("one", "two", "three"))))


def test_what_the_configuration_sets_anew_for_a_target_is_no_change():
    """A fallback target may be an object with parameters of its own."""
    asked = replace(SENT, max_tokens=64, temperature=0.5)
    assert list(changes(SENT, asked, renewed={"max_tokens", "temperature"})) == []
    assert list(changes(SENT, asked, renewed={"temperature"})) == [
        "max_tokens is 64 instead of 512"
    ]


@pytest.mark.parametrize("ids", [("2", "1"), ("1", "1")])
def test_two_calls_of_one_tool_keep_their_own_results(ids):
    """By the tool's name alone they could not be told apart."""
    twice = tuple(ToolCall(identity, "weigh", "{}") for identity in ("1", "2"))
    results = tuple(
        Turn("tool", text, tool_call_id=i) for text, i in (("9 kg", "1"), ("3 kg", "2"))
    )
    sent = replace(SENT, turns=(QUESTION, Turn("assistant", tool_calls=twice), *results))
    mixed = tuple(replace(turn, tool_call_id=i) for turn, i in zip(results, ids, strict=True))
    assert list(changes(sent, sent)) == []
    found = list(changes(sent, replace(sent, turns=(*sent.turns[:2], *mixed))))
    assert found
    assert all("belongs to the call" in what for what in found)


def test_true_is_not_one():
    """Python takes them for equal; no tool does."""
    call = ToolCall("1", "weigh", '{"gross": true}')
    turns = (QUESTION, Turn("assistant", tool_calls=(call,)), Turn("tool", "{}", tool_call_id="1"))
    sent = replace(SENT, turns=turns)
    got = Turn("assistant", tool_calls=(replace(call, arguments='{"gross": 1}'),))
    asked = replace(sent, turns=(QUESTION, got, turns[2]))
    assert "has the arguments" in next(changes(sent, asked), "nothing")


def test_what_a_format_has_no_word_for_was_not_lost():
    """Ollama cannot be asked for a choice of tools; where it could be, a lost one is a change."""
    sent = replace(SENT, tool_choice="required")
    asked = replace(SENT, tool_choice="auto")
    assert list(changes(sent, asked)) == ["tool_choice is 'auto' instead of 'required'"]
    assert not list(changes(sent, replace(asked, lacks=frozenset({"tool_choice"}))))
