"""Ollama's chat, as LiteLLM asks for it."""

import json

from chaos.protocol.conversation import Answer, Ask, ResponseSchema, Turn
from chaos.protocol.format import PieceKind
from chaos.protocol.formats.ollama.chat import OllamaChat
from tests.fakes.examples import CALL, SCHEMA, WEATHER
from tests.fakes.recorded_requests import request_bodies

FORMAT = OllamaChat()


def test_litellms_own_request_is_read():
    """Turns, calls without ids, the result and the tools."""
    (body,) = request_bodies("ollama_chat/llama3.2 chat tools")
    ask = FORMAT.read_ask(body)
    assert [turn.role for turn in ask.turns] == ["system", "user", "assistant", "tool"]
    (call,) = ask.turns[2].tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == (
        None,
        "get_weather",
        {"city": "Rome"},
    )
    assert (ask.turns[3].text, ask.turns[3].tool_call_id) == ("21 degrees", "call_1")
    assert [tool.name for tool in ask.tools] == ["get_weather"]
    assert ask.max_tokens == 16


def test_what_it_has_no_word_for_is_said():
    """Nobody lost what could not be asked for."""
    assert FORMAT.read_ask({}).lacks == {"tool_choice", "parallel_tool_calls"}


def test_pictures_and_a_schema_come_back():
    """Pictures go with their turn, the schema as the format."""
    ask = Ask(
        turns=(Turn("user", "what?", images=("iVBORw0KGgo=",)),),
        response_schema=ResponseSchema("answer", SCHEMA),
        temperature=0.0,
    )
    body = FORMAT.write_ask(ask, model="m", stream=False)
    assert body["format"] == SCHEMA
    back = FORMAT.read_ask(body)
    assert (back.turns, back.response_schema, back.temperature) == (
        ask.turns,
        ask.response_schema,
        0.0,
    )
    assert FORMAT.read_ask({"format": "json"}).response_schema is None


def test_tools_are_written_as_openai_writes_them():
    """LiteLLM hands them on as they came."""
    (tool,) = FORMAT.write_ask(Ask(tools=(WEATHER,)), model="m", stream=True)["tools"]
    assert (tool["type"], tool["function"]["name"]) == ("function", "get_weather")


def test_a_call_is_one_line_in_three_pieces():
    """So that a fault can break off inside it."""
    pieces = FORMAT.write_answer(Answer(tool_calls=(CALL,)), model="m", stream=True)
    call = [piece.data for piece in pieces if piece.kind is PieceKind.TOOL_CALL]
    assert len(call) == 3
    assert json.loads(b"".join(call))["message"]["tool_calls"][0]["function"]["name"] == CALL.name
    assert pieces[0].kind is PieceKind.CONTENT
