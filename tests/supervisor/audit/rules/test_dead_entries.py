"""Entries that LiteLLM never looks at are told."""

import pytest

from chaos.gateway.topology import RouterSettings
from supervisor.audit.rules.dead_entries import dead_entries
from tests.fakes.audit_findings import audited, brief


def found(*entries, **parts):
    """What is wrong with a list of these entries."""
    settings = RouterSettings(fallbacks=tuple({name: ("local",)} for name in entries))
    chains = {"claude": ["local"], "openai/gpt": []}
    return list(dead_entries(audited(chains, settings=settings, **parts)))


def test_a_chain_for_a_group_that_does_not_exist_is_told():
    """A misspelt key leaves its group without a fallback, silently."""
    (finding,) = found("cluade")
    assert brief([finding]) == [("unknown_group", "warning", "cluade")]
    assert "did you mean 'claude'?" in finding.remedy


def test_the_second_chain_of_a_group_is_told():
    """LiteLLM reads only the first."""
    assert brief(found("claude", "claude")) == [("fallbacks_repeated", "warning", "claude")]


@pytest.mark.parametrize("key", ["claude", "openai/gpt", "gpt", "al"])
def test_keys_that_some_call_finds_are_alive(key):
    """An alias is a key, and the provider may be left out of one."""
    assert found(key, changes={"aliases": {"al": "claude"}}) == []


@pytest.mark.parametrize("key", ["mistral/*", "mistral/large", "large"])
def test_models_of_a_wildcard_may_be_keys(key):
    """Which of them exist, only LiteLLM knows."""
    assert found(key, wildcards={"mistral/*": "claude"}) == []
