"""A request as real agents send it."""

import json

import pytest

from chaos.protocol.formats import WIRE_FORMATS
from chaos.traffic.agent_tools import FILE_REPORT, TOOLS
from chaos.traffic.shape import ClientProfile
from chaos.traffic.shapes.agent import Agent, report

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}
RAW_TOOL = {
    "type": "function",
    "function": {"name": "search", "description": "Search.", "parameters": SCHEMA},
}


def ask(**profile):
    """Make the request of an agent with this profile."""
    given = ClientProfile(**profile) if profile else None
    return Agent().task("3fa91c02", max_tokens=5, profile=given).ask


def test_it_is_as_large_as_real_agents_requests():
    """About 15,000 tokens, twenty tools, and 32,000 tokens to answer."""
    body = WIRE_FORMATS["chat_completions"].write_ask(ask(), model="m", stream=True)
    assert 14_000 < len(json.dumps(body)) / 4 < 18_000
    assert len(body["tools"]) == 20
    assert body["max_tokens"] == 32_000


def test_the_nonce_is_deep_in_the_arguments():
    """Nested arguments are what agents send, and what parsers break."""
    (call,) = Agent().task("3fa91c02", max_tokens=5).expect.calls
    assert call.arguments == report("3fa91c02")
    assert call.arguments["report"]["token"] == "3fa91c02"


def test_a_profiles_system_prompt_replaces_ours():
    """The user's own prompt is what is drilled."""
    assert ask(system="Be brief.").turns[0].text == "Be brief."
    assert [turn.role for turn in ask(system="").turns] == ["user"]


def test_a_profiles_tools_replace_ours_but_for_the_one_to_be_called():
    """The user's schemas go to the hop; a tool of our own is called."""
    search, called = ask(tools=(RAW_TOOL,)).tools
    assert (search.name, search.description) == ("search", "Search.")
    assert search.parameters == SCHEMA
    assert called is FILE_REPORT
    assert ask(system="x").tools is TOOLS


@pytest.mark.parametrize(
    "raw", [{}, {"type": "function"}, {"function": None}, {"function": {"name": "file_report"}}]
)
def test_a_tool_without_a_name_of_its_own_is_left_out(raw):
    """A profile that is not quite right does not break the drill."""
    assert ask(tools=(raw,)).tools == (FILE_REPORT,)


def test_a_tool_in_anthropics_form_is_understood():
    """Profiles are copied from whatever client there is."""
    tool, _ = ask(tools=({"name": "search", "input_schema": {"type": "object"}},)).tools
    assert (tool.name, tool.parameters) == ("search", {"type": "object"})


def test_parameters_go_on_the_wire_as_they_are():
    """By their own name, and none that would make another drill of it."""
    made = ask(parameters={"top_p": 0.9, "model": "x", "stream": False, "tool_choice": "none"})
    assert made.extra == {"top_p": 0.9}
    assert made.tool_choice == "auto"


@pytest.mark.parametrize(
    ("parameters", "most"),
    [({"max_tokens": 64_000}, 64_000), ({"max_completion_tokens": 9}, None), ({}, 32_000)],
)
def test_a_profile_says_how_long_the_answer_may_be(parameters, most):
    """One limit is on the wire, never two."""
    assert ask(parameters=parameters).max_tokens == most
