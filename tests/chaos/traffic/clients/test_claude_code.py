"""Claude Code asks with thinking, and is recognised."""

from chaos.traffic.clients.claude_code import CLAUDE_CODE


def test_litellm_takes_it_for_claude_code():
    """By this prefix LiteLLM drops what a provider does not take (``_CLAUDE_CODE_...PREFIXES``)."""
    assert CLAUDE_CODE.user_agent.startswith("claude-cli/")


def test_its_thinking_fits_into_its_answer():
    """Anthropic refuses a budget that is not below ``max_tokens``."""
    asked = CLAUDE_CODE.parameters_for("messages", "7f3a91c2", "claude")
    assert asked["thinking"]["budget_tokens"] < asked["max_tokens"] == 32_000
    assert "temperature" not in asked
