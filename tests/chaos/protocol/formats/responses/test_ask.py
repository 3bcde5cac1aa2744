"""Tests of requests in OpenAI's Responses API."""

from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Ask, ResponseSchema, ToolCall, Turn
from chaos.protocol.formats.responses.write import Responses
from tests.fakes.streams import TOOL, asks

RESPONSES = Responses()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["input", "instructions", "tools", "tool_choice", "max_output_tokens", "text", "temperature"]
)


@given(asks())
def test_an_ask_is_read_as_it_was_written(ask):
    """Writing and reading again gives the same ask."""
    assert RESPONSES.read_ask(RESPONSES.write_ask(ask, model="m", stream=True)) == ask


@given(st.dictionaries(FIELDS, ANYTHING))
def test_no_request_makes_the_reader_raise(body):
    """Whatever a gateway writes, an ask comes of it."""
    assert isinstance(RESPONSES.read_ask(body), Ask)


def test_a_full_ask_has_openais_shape():
    """Instructions, items, flat tools, choice and schema go where OpenAI wants them."""
    ask = Ask(
        turns=(
            Turn("system", text="Be brief."),
            Turn("user", text="Look.", images=("iVBO",)),
            Turn("assistant", tool_calls=(ToolCall("call_1", "get_weather", "{}"),)),
            Turn("tool", text="rain", tool_call_id="call_1"),
        ),
        tools=(TOOL,),
        tool_choice="get_weather",
        parallel_tool_calls=False,
        response_schema=ResponseSchema("x", {"type": "object"}),
        max_tokens=9,
        extra={"store": False},
    )
    body = RESPONSES.write_ask(ask, model="m", stream=True)
    assert body["instructions"] == "Be brief."
    assert body["max_output_tokens"] == 9
    assert body["tools"] == [
        {
            "type": "function",
            "name": TOOL.name,
            "description": TOOL.description,
            "parameters": TOOL.parameters,
        }
    ]
    assert body["tool_choice"] == {"type": "function", "name": "get_weather"}
    assert body["parallel_tool_calls"] is False
    assert body["text"]["format"]["schema"] == {"type": "object"}
    assert body["store"] is False
    message, call, output = body["input"]
    assert message["content"][1]["image_url"] == "data:image/png;base64,iVBO"
    assert call == {
        "type": "function_call",
        "call_id": "call_1",
        "name": "get_weather",
        "arguments": "{}",
    }
    assert output == {"type": "function_call_output", "call_id": "call_1", "output": "rain"}


def test_without_tools_there_is_no_choice():
    """The API refuses a tool_choice without tools."""
    assert set(RESPONSES.write_ask(Ask(), model="m", stream=False)) == {"model", "input", "stream"}


def test_what_gateways_write_is_read():
    """Items without a type, developers, content parts and a bare string are fine."""
    ask = RESPONSES.read_ask(
        {
            "input": [
                {"role": "developer", "content": "d"},
                {"role": "user", "content": [{"type": "input_text", "text": "u"}]},
                {"type": "reasoning", "summary": []},
                {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
                {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": [{"text": "no"}]},
            ],
            "tools": [{"type": "web_search"}, {"type": "function", "name": "n"}],
        }
    )
    assert ask.turns == (
        Turn("system", text="d"),
        Turn("user", text="u"),
        Turn("assistant", text="a", tool_calls=(ToolCall("c", "n", "{}"),)),
        Turn("tool", tool_call_id="c"),
    )
    assert [tool.name for tool in ask.tools] == ["n"]
    assert RESPONSES.read_ask({"input": "hi"}).turns == (Turn("user", text="hi"),)
