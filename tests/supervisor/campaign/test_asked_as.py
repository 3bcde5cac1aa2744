"""A selection is asked as a client asks, or refused with what that client does."""

import pytest

from chaos.errors import UsageError
from chaos.scenario.catalogue import CATALOGUE
from chaos.scenario.expand import Profile, Selection, expand
from supervisor.campaign.asked_as import asked_as
from tests.fakes.topologies import topology

GATEWAY = topology({"claude": ["local"]})


def drilled(selection):
    """List the shapes and surfaces that are drilled."""
    return {(s.shape, s.surface) for s in expand(GATEWAY, selection, CATALOGUE)}


@pytest.mark.parametrize(
    ("client", "shape_and_surface"),
    [
        ("claude_code", ("agent.claude_code", "messages")),
        ("codex", ("agent.codex", "responses")),
        ("openai_agents", ("agent.openai_agents", "responses")),
        ("hermes", ("agent.hermes", "chat_completions")),
    ],
)
@pytest.mark.parametrize("profile", Profile)
def test_nothing_but_a_name_is_the_agent_shape_on_the_client_s_surface(
    client, shape_and_surface, profile
):
    """In every profile; a surface that it can be set up for is drilled when it is named."""
    assert drilled(asked_as(Selection(profile=profile), client)) == {shape_and_surface}


def test_what_is_named_besides_is_drilled_where_the_client_could():
    """Another surface, other shapes, and a shape that names the client already."""
    chat = asked_as(Selection(surfaces=("chat_completions",)), "openai_agents")
    assert drilled(chat) == {("agent.openai_agents", "chat_completions")}
    shapes = asked_as(Selection(shapes=("chat", "tool_call.codex")), "codex")
    assert shapes.shapes == ("chat.codex", "tool_call.codex")


@pytest.mark.parametrize(
    ("selection", "client", "message", "remedy"),
    [
        (Selection(), "claud_code", "is not a client", "claude_code"),
        (Selection(shapes=("tool_result",)), "codex", "the shape 'tool_result'", "tool_call"),
        (Selection(shapes=("agent.codex",)), "hermes", "the shape 'agent'", "agent"),
        (Selection(surfaces=("responses",)), "claude_code", "on 'responses'", "messages"),
    ],
)
def test_what_the_client_does_not_do_is_refused(selection, client, message, remedy):
    """A drill that nobody's client would send proves nothing for them."""
    with pytest.raises(UsageError) as caught:
        asked_as(selection, client)
    assert message in caught.value.message
    assert remedy in caught.value.remedy
