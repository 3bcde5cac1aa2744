"""A shape as a client sends it keeps what it expects, and changes how it asks."""

import pytest

from chaos.protocol.surfaces import SURFACES
from chaos.traffic.as_client import name_as_client, shape_as_client
from chaos.traffic.clients import CLIENTS
from chaos.traffic.shape import ClientProfile
from chaos.traffic.shapes import SHAPES

CLAUDE = shape_as_client(SHAPES["agent"], CLIENTS["claude_code"])


def test_it_expects_what_its_shape_expects():
    """How it is asked changes nothing of what a good answer is."""
    as_claude = CLAUDE.task("7f3a91c2", max_tokens=512)
    assert as_claude.expect == SHAPES["agent"].task("7f3a91c2", max_tokens=512).expect
    assert (CLAUDE.name, CLAUDE.client) == ("agent.claude_code", "claude_code")
    assert CLAUDE.needs_tools


def test_it_exists_on_the_client_s_surfaces_only():
    """Nobody sends it elsewhere."""
    assert CLAUDE.surfaces == {"messages"}
    agents = shape_as_client(SHAPES["chat"], CLIENTS["openai_agents"])
    assert agents.surfaces == {"responses", "chat_completions"}


def test_the_system_prompt_comes_in_cached_blocks():
    """As Claude Code sends it: what translates the request has to keep the text of the blocks."""
    ask = CLAUDE.task("7f3a91c2", max_tokens=512).ask
    body = SURFACES["messages"].format.write_ask(ask, model="m", stream=True)
    assert [block["type"] for block in body["system"]] == ["text"]
    plain = SHAPES["agent"].task("7f3a91c2", max_tokens=512).ask
    assert SURFACES["messages"].format.read_ask(body).text == plain.text


def test_a_profile_of_the_user_s_own_is_not_mixed_in():
    """It would be neither the one client nor the other."""
    own = ClientProfile(system="Be brief.", headers={"x": "y"}, parameters={"top_p": 0.1})
    assert CLAUDE.task("7f3a91c2", max_tokens=512, profile=own) == CLAUDE.task(
        "7f3a91c2", max_tokens=512
    )


@pytest.mark.parametrize("shape", ["chat", "tool_call", "agent"])
def test_a_name_is_the_shape_s_and_the_client_s(shape: str):
    """As a fault's variant is named."""
    made = shape_as_client(SHAPES[shape], CLIENTS["codex"])
    assert made.name == name_as_client(shape, "codex") == f"{shape}.codex"
