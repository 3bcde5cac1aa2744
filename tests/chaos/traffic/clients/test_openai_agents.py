"""The OpenAI Agents SDK says the same on each of its surfaces, in that surface's words."""

from chaos.traffic.clients.openai_agents import OPENAI_AGENTS


def test_the_effort_is_nested_on_one_surface_and_flat_on_the_other():
    """A hop may refuse the one and take the other."""
    assert OPENAI_AGENTS.parameters_for("responses", "x")["reasoning"] == {"effort": "low"}
    assert OPENAI_AGENTS.parameters_for("chat_completions", "x")["reasoning_effort"] == "low"
    assert OPENAI_AGENTS.usual_surface == "responses"
