"""Tests of requests in Anthropic's Messages API."""

from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Ask, ResponseSchema, ToolCall, Turn
from chaos.protocol.formats.messages.ask import DEFAULT_MAX_TOKENS
from chaos.protocol.formats.messages.write import Messages
from tests.fakes.streams import TOOL, asks

MESSAGES = Messages()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "output_config"]
)


@given(asks())
def test_an_ask_is_read_as_it_was_written(ask):
    """Writing and reading again gives the same ask."""
    assert MESSAGES.read_ask(MESSAGES.write_ask(ask, model="m", stream=True)) == ask


@given(st.dictionaries(FIELDS, ANYTHING))
def test_no_request_makes_the_reader_raise(body):
    """Whatever a gateway writes, an ask comes of it."""
    assert isinstance(MESSAGES.read_ask(body), Ask)


def test_max_tokens_is_always_there():
    """The API refuses a request without max_tokens, so a default is sent."""
    ask = Ask(turns=(Turn("user", text="hi"),))
    assert MESSAGES.write_ask(ask, model="m", stream=False) == {
        "model": "m",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
    }


def test_a_full_ask_has_anthropics_shape():
    """System, tools, choice, results, pictures and schema go where Anthropic wants them."""
    call = ToolCall("toolu_1", "get_weather", '{"city":"Oslo"}')
    ask = Ask(
        turns=(
            Turn("system", text="Be brief."),
            Turn("user", text="Look.", images=("iVBO",)),
            Turn("assistant", text="Well.", tool_calls=(call, call)),
            Turn("tool", text="rain", tool_call_id="toolu_1"),
            Turn("tool", text="sun", tool_call_id="toolu_2"),
        ),
        tools=(TOOL,),
        tool_choice="required",
        parallel_tool_calls=False,
        response_schema=ResponseSchema("x", {"type": "object"}),
        extra={"top_k": 1},
    )
    body = MESSAGES.write_ask(ask, model="m", stream=True)
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    assert body["system"] == "Be brief."
    assert body["tools"][0]["input_schema"] == TOOL.parameters
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {"type": "object"}}
    }
    assert body["top_k"] == 1
    picture, answer, results = body["messages"]
    assert picture["content"][0]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": "iVBO",
    }
    assert answer["content"] == [{"type": "text", "text": "Well."}, use, use]
    assert [result["tool_use_id"] for result in results["content"]] == ["toolu_1", "toolu_2"]
    assert results["role"] == "user"


def test_a_choice_of_no_tool_has_no_parallel_flag():
    """The API knows no disable_parallel_tool_use beside ``none``."""
    ask = Ask(tools=(TOOL,), tool_choice="none", parallel_tool_calls=True)
    assert MESSAGES.write_ask(ask, model="m", stream=False)["tool_choice"] == {"type": "none"}


def test_several_system_turns_stay_apart():
    """More than one system turn becomes blocks, and comes back as turns."""
    turns = (Turn("system", text="a"), Turn("system", text="b"), Turn("user", text="c"))
    body = MESSAGES.write_ask(Ask(turns=turns), model="m", stream=False)
    assert MESSAGES.read_ask(body).turns == turns


def test_what_gateways_write_is_read():
    """Blocks in place of strings, the older output_format and fields of their own are fine."""
    ask = MESSAGES.read_ask(
        {
            "model": "m",
            "metadata": {},
            "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "u"}]},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t",
                            "content": [{"type": "text", "text": "r"}],
                        },
                        {"type": "text", "text": "and?"},
                    ],
                },
            ],
            "output_format": {"type": "json_schema", "schema": {"a": 1}},
            "tool_choice": {"type": "tool", "name": "get_weather"},
        }
    )
    assert ask.turns == (
        Turn("system", text="s"),
        Turn("user", text="u"),
        Turn("tool", text="r", tool_call_id="t"),
        Turn("user", text="and?"),
    )
    assert ask.response_schema == ResponseSchema("response", {"a": 1})
    assert ask.tool_choice == "get_weather"
