"""The OpenAI Agents SDK says the same on each of its surfaces, in that surface's words."""

from chaos.traffic.clients.openai_agents import OPENAI_AGENTS


def test_the_effort_is_nested_on_one_surface_and_flat_on_the_other():
    """A hop may refuse the one and take the other."""
    assert OPENAI_AGENTS.parameters_for("responses", "x", "gpt-5")["reasoning"] == {"effort": "low"}
    assert (
        OPENAI_AGENTS.parameters_for("chat_completions", "x", "gpt-5.1")["reasoning_effort"]
        == "low"
    )
    assert OPENAI_AGENTS.usual_surface == "responses"


def test_effort_is_sent_with_models_of_that_name_only():
    """For others the SDK's settings are empty."""
    assert OPENAI_AGENTS.parameters_for("chat_completions", "x", "claude").keys() == {
        "parallel_tool_calls"
    }
