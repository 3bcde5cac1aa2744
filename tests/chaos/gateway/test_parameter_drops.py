"""For whom LiteLLM leaves out what a hop does not take."""

import pytest

from chaos.gateway.parameter_drops import drops_for


@pytest.mark.parametrize(
    ("user_agent", "version", "drops"),
    [
        ("claude-cli/2.1.283 (external, sdk-cli)", "1.106.2", True),
        ("claude-code/2.1.283", "1.103.0", True),
        ("codex_cli_rs/0.159.3 (Ubuntu)", "1.108.6", True),
        ("Codex/1", "", True),
        ("claude-cli/2.1.283", "1.82.6", False),
        ("OpenAI/Python 2.24.0", "1.106.2", False),
        ("my-claude-cli/1", "1.106.2", False),
    ],
)
def test_agents_of_the_terminal_are_known_by_their_user_agent(user_agent, version, drops):
    """From 1.103.0 on; what a version is that nobody can read, is new."""
    assert drops_for(user_agent, version) is drops
