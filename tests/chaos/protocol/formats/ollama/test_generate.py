"""A single prompt of Ollama's, as LiteLLM writes one."""

import json

import pytest

from chaos.protocol.conversation import Answer, Ask, Turn
from chaos.protocol.formats.ollama.generate import OllamaGenerate
from tests.fakes.examples import CALL, OTHER_CALL
from tests.fakes.recorded_requests import request_bodies

FORMAT = OllamaGenerate()


def test_litellms_own_prompt_is_taken_apart():
    """The headings are the roles, the tools stand in the system's text, the result is a result."""
    (body,) = request_bodies("ollama/llama3.2 chat tools")
    ask = FORMAT.read_ask(body)
    assert [(turn.role, turn.text) for turn in ask.turns] == [
        ("system", "Be brief"),
        ("user", "hi nonce"),
        ("assistant", ""),
        ("tool", "21 degrees"),
    ]
    (call,) = ask.turns[2].tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Rome"})
    (tool,) = ask.tools
    assert (tool.name, tool.description, tool.parameters["required"]) == (
        "get_weather",
        "W",
        ["city"],
    )


def test_results_of_several_calls_are_a_line_each():
    """LiteLLM puts them into one section."""
    ask = Ask(
        turns=(
            Turn("user", "both?"),
            Turn("assistant", tool_calls=(CALL, OTHER_CALL)),
            Turn("tool", "21\nnoon"),
        )
    )
    back = FORMAT.read_ask(FORMAT.write_ask(ask, model="m", stream=False))
    assert [turn.text for turn in back.turns if turn.role == "tool"] == ["21", "noon"]


def test_a_prompt_without_headings_is_the_users():
    """So does LiteLLM send what came to /v1/completions."""
    assert FORMAT.read_ask({"prompt": "Say hello."}).turns == (Turn("user", "Say hello."),)


def test_pictures_go_to_the_last_turn_of_the_user():
    """They come beside the prompt."""
    ask = FORMAT.read_ask({"prompt": "### User:\nwhat?\n\n", "images": ["iVBORw0KGgo="]})
    assert ask.turns == (Turn("user", "what?", images=("iVBORw0KGgo=",)),)


@pytest.mark.parametrize("listed", ["{'a': [", "{1: 2}", "{open('x')}", "{" * 5000])
def test_a_broken_list_of_tools_offers_none(listed):
    """Nothing in a prompt is run, and nothing makes the reader raise."""
    prompt = f"### System:\nTo call a function, reply with JSON ONLY\n{listed}\n\n\n"
    tools = FORMAT.read_ask({"prompt": prompt}).tools
    assert [tool.name for tool in tools] in ([], [""])


def test_with_tools_the_answer_is_to_be_json():
    """As LiteLLM asks for it; of several calls the first alone has a place."""
    body = FORMAT.write_ask(Ask(tools=()), model="m", stream=False)
    assert "format" not in body
    answer = Answer(tool_calls=(CALL, OTHER_CALL))
    (piece,) = FORMAT.write_answer(answer, model="m", stream=False)
    assert json.loads(json.loads(piece.data)["response"])["name"] == CALL.name
