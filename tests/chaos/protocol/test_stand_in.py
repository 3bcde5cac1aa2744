"""What a willing provider says."""

import json
from dataclasses import replace

import pytest

from chaos.protocol.conversation import Ask, Finish, ResponseSchema, ToolCall, ToolSpec, Turn
from chaos.protocol.stand_in import DIMENSIONS, compose
from chaos.traffic.shapes.image import COLOURS, one_colour

NONCE = "3fa91c02"
MARKER = "[claude, attempt 1] "


def tool(name, **properties):
    """Make a tool that requires all its properties."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return ToolSpec(name, "", schema)


NOTE = tool("record_note", note={"type": "string"}, count={"type": "integer"})
NOTES = tool("record_notes", notes={"type": "array", "items": {"type": "string"}})
WEATHER = tool("get_weather", city={"type": "string"})
ARGUMENTS = '{"note": "3fa91c02", "count": 3}'
DEMAND = f"Call the tool record_note with {ARGUMENTS}."


def ask(prompt, *tools, **more):
    """Ask one thing."""
    return Ask(turns=(Turn("user", prompt),), tools=tools, **more)


def calls(made):
    """Tell names and arguments of what is called."""
    return [(call.name, json.loads(call.arguments)) for call in compose(made).tool_calls]


def test_plain_chat_gets_the_nonce_back():
    """The token is repeated, as text."""
    answer = compose(ask(f"Say {NONCE}."))
    assert (answer.text, answer.finish) == (f"The token is {NONCE}.", Finish.STOP)


def test_without_a_nonce_there_is_still_an_answer():
    """Whoever asks anything is answered."""
    assert compose(ask("How are you?")).text
    assert compose(Ask()).text


def test_it_says_the_same_every_time():
    """No chance and no clock: a reply can be foretold."""
    assert compose(ask(DEMAND, NOTE)) == compose(ask(DEMAND, NOTE))


@pytest.mark.parametrize("choice", ["auto", "required", "record_note"])
def test_a_demanded_call_is_made(choice):
    """The arguments are those of the prompt, whatever else is on offer."""
    made = ask(DEMAND, WEATHER, NOTE, NOTES, tool_choice=choice)
    assert calls(made) == [("record_note", {"note": NONCE, "count": 3})]
    answer = compose(made)
    assert (answer.text, answer.finish) == ("", Finish.TOOL_CALLS)


def test_no_call_is_made_where_none_is_allowed():
    """``none`` rules, whatever the prompt says."""
    answer = compose(ask(DEMAND, NOTE, tool_choice="none"))
    assert answer.tool_calls == ()
    assert NONCE in answer.text


def test_a_named_tool_is_called_and_no_other():
    """The request's choice goes before the prompt's."""
    made = ask(f"Call get_weather. {NONCE}", NOTE, WEATHER, tool_choice="record_note")
    assert calls(made) == [("record_note", {"note": NONCE, "count": 1})]


def test_two_demanded_calls_are_made_in_their_order():
    """Each with its own arguments and its own id."""
    made = ask(f'{DEMAND} Call record_notes with {{"notes": ["a"]}}.', NOTE, NOTES)
    assert [name for name, _ in calls(made)] == ["record_note", "record_notes"]
    assert len({call.id for call in compose(made).tool_calls}) == 2


def test_the_same_call_twice_has_two_ids():
    """Clients tell calls apart by their ids."""
    made = ask(f"{DEMAND} {DEMAND}", NOTE)
    assert len({call.id for call in compose(made).tool_calls}) == 2


def test_one_call_at_a_time_is_obeyed():
    """Where parallel calls are forbidden only the first is made."""
    made = ask(f"{DEMAND} {DEMAND}", NOTE, parallel_tool_calls=False)
    assert len(calls(made)) == 1


def test_a_named_tool_without_spelt_arguments_is_called_all_the_same():
    """They are made up from the schema, with the nonce in them."""
    assert calls(ask(f"Call get_weather for the city {NONCE}.", NOTE, WEATHER)) == [
        ("get_weather", {"city": NONCE})
    ]


def test_a_tool_whose_name_is_part_of_another_is_not_meant():
    """``record_notes`` is not ``record_note``."""
    assert calls(ask('Call record_notes with {"notes": []}.', NOTE, NOTES)) == [
        ("record_notes", {"notes": []})
    ]


def test_an_ordinary_question_calls_nothing_by_itself():
    """Tools that nobody asks for are left alone, also where the prompt holds JSON."""
    assert calls(ask('Is it warm? {"city": "Oslo"}', WEATHER)) == []


def test_a_forced_call_is_made_whatever_is_asked():
    """The first tool is called with arguments that fit."""
    made = ask("How are you?", WEATHER, NOTE, tool_choice="required")
    assert calls(made) == [("get_weather", {"city": "stand-in"})]


def test_a_forced_call_takes_the_tool_that_the_json_fits():
    """A prompt may hold the arguments without the tool's name."""
    made = ask(f"Store {ARGUMENTS}", WEATHER, NOTE, tool_choice="required")
    assert calls(made) == [("record_note", {"note": NONCE, "count": 3})]


def test_a_schema_handed_on_as_a_forced_call_is_filled_in():
    """Gateways do so for providers that know no structured output."""
    form = tool("json_tool_call", token={"type": "string"}, count={"type": "integer"})
    made = ask(f"token = {NONCE}, count = 7", form, tool_choice="json_tool_call")
    assert calls(made) == [("json_tool_call", {"token": NONCE, "count": 7})]


def test_structured_output_is_json_with_the_values_of_the_prompt():
    """Values come from the prompt, form from the schema."""
    schema = ResponseSchema("form", NOTE.parameters)
    answer = compose(ask(f"note = {NONCE}, count = 7", response_schema=schema))
    assert json.loads(answer.text) == {"note": NONCE, "count": 7}


def test_json_in_the_prompt_that_fits_is_taken_as_it_is():
    """A schema that the gateway wrote into the prompt does not fit itself."""
    schema = ResponseSchema("form", NOTES.parameters)
    told = '{"notes": ["a", "b"]}'
    prompt = f"Answer with {told} in this schema: {json.dumps(NOTES.parameters)}"
    assert compose(ask(prompt, response_schema=schema)).text == told


def test_a_tools_result_is_quoted():
    """The last results are, and the demand before them is not obeyed again."""
    turns = (
        Turn("user", DEMAND),
        Turn("assistant", tool_calls=(ToolCall("c1", "record_note", ARGUMENTS),)),
        Turn("tool", "first: 00c0ffee", tool_call_id="c1"),
        Turn("tool", f"second: {NONCE}", tool_call_id="c2"),
    )
    answer = compose(Ask(turns=turns, tools=(NOTE,)))
    assert answer.tool_calls == ()
    assert answer.text == f"The tool said: first: 00c0ffee second: {NONCE}"


def test_only_the_last_question_counts():
    """A system prompt and earlier turns demand nothing any more."""
    turns = (Turn("system", DEMAND), Turn("user", DEMAND), Turn("user", f"Say {NONCE}."))
    assert compose(Ask(turns=turns, tools=(NOTE,))).tool_calls == ()


def test_broken_json_in_the_prompt_is_no_demand():
    """The tool is named, so it is called; the half object is not taken for its arguments."""
    made = ask('Call record_note with {"note": "x", "count": } now.', NOTE)
    assert calls(made) == [("record_note", {"note": "x", "count": 1})]


@pytest.mark.parametrize(
    "made",
    [
        ask("Hello."),
        ask(DEMAND, NOTE),
        Ask(turns=(Turn("user", "?"), Turn("tool", "result", tool_call_id="c"))),
    ],
)
def test_a_marker_begins_the_text(made):
    """Two answers can be told apart by it, also where they consist of a call."""
    plain, marked = compose(made), compose(made, marker=MARKER)
    assert marked.text == MARKER + plain.text
    assert marked.tool_calls == plain.tool_calls


def test_a_marker_does_not_break_structured_output():
    """The text is JSON, with a marker or without."""
    made = ask("Fill in.", response_schema=ResponseSchema("form", NOTE.parameters))
    assert compose(made, marker=MARKER) == compose(made)


@pytest.mark.parametrize("colour", COLOURS)
def test_the_colour_of_a_picture_is_seen(colour):
    """It is read from the picture itself."""
    turn = Turn("user", f"Which colour? {NONCE}", images=(one_colour(COLOURS[colour]),))
    assert compose(Ask(turns=(turn,))).text == f"The picture is {colour}. The token is {NONCE}."


@pytest.mark.parametrize("data", ["", "!!", "iVBORw0KGgo=", one_colour((1, 2, 3))[:60]])
def test_a_picture_that_cannot_be_read_is_left_out(data):
    """The rest is answered all the same."""
    turn = Turn("user", f"Say {NONCE}.", images=(data,))
    assert NONCE in compose(Ask(turns=(turn,))).text


@pytest.mark.parametrize(("wanted", "size"), [(None, DIMENSIONS), (3, 3), (-1, 1), (10**9, 8_192)])
def test_every_text_gets_a_vector_of_the_size_asked_for(wanted, size):
    """Within bounds, because anybody may ask."""
    vectors = compose(Ask(inputs=("a", "b"), dimensions=wanted)).vectors
    assert [len(vector) for vector in vectors] == [size, size]


def test_vectors_tell_texts_apart_and_are_of_length_one():
    """The same text has the same vector, another text another."""
    one, again, other = compose(Ask(inputs=("a", "a", "b"), dimensions=64)).vectors
    assert one == again != other
    assert sum(number * number for number in one) == pytest.approx(1.0, abs=1e-3)


def test_tokens_are_counted_by_length():
    """A longer prompt costs more, and nothing is free."""
    short, long = compose(ask("Hi.")), compose(ask("Hi. " * 500))
    assert long.input_tokens > short.input_tokens >= 1
    assert min(short.output_tokens, compose(Ask(inputs=("x",))).output_tokens) >= 1


def test_a_later_assistant_turn_does_not_hide_the_question():
    """A prefilled answer is not a question of its own."""
    made = ask(DEMAND, NOTE)
    assert calls(replace(made, turns=(*made.turns, Turn("assistant", "I will")))) != []
