"""A model stands only for a wildcard that serves it."""

import pytest

from chaos.errors import UsageError
from supervisor.settings.file import parse_settings


def test_models_are_chosen_by_pattern():
    """As LiteLLM's configuration writes it."""
    text = 'wildcards: {"openai/*": openai/gpt-4o-mini, "gpt-*": gpt-4o}\n'
    chosen = parse_settings(text, name="x").wildcards
    assert chosen == {"openai/*": "openai/gpt-4o-mini", "gpt-*": "gpt-4o"}


@pytest.mark.parametrize(
    ("pattern", "model", "problem"),
    [
        ("openai/*", "claude", "'openai/*' does not match 'claude'; name a model such as openai/N"),
        ("openai/*", "''", "'openai/*' does not match ''"),
        ("openai/*", "'openai/*'", "'openai/*' is a pattern itself; name one model"),
        ("openai/gpt", "openai/gpt", "'openai/gpt' has no * and is not a wildcard; drill it with"),
    ],
)
def test_a_model_that_the_wildcard_does_not_serve_is_refused(pattern, model, problem):
    """When the file is read: 'config check' says it."""
    with pytest.raises(UsageError) as caught:
        parse_settings(f'wildcards: {{"{pattern}": {model}}}', name="x")
    assert f"wildcards: {problem}" in caught.value.message
