"""Names that LiteLLM skips without a word are told."""

import pytest

from chaos.gateway.topology import Chain, RouterSettings, Trigger
from supervisor.audit.rules.unknown_target import unknown_target
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group


def with_target(*targets, chain=("claude", "local-gemma"), **parts):
    """A gateway whose list names these targets."""
    settings = RouterSettings(fallbacks=({"claude": targets},))
    return audited({chain[0]: list(chain[1:]), "local-gemma": []}, settings=settings, **parts)


def test_a_target_that_does_not_exist_is_a_warning_beside_one_that_does():
    """The group still falls back, only not to what was written."""
    (finding,) = unknown_target(with_target("local-gema", "local-gemma"))
    assert brief([finding]) == [("unknown_target", "warning", "claude")]
    assert "did you mean 'local-gemma'?" in finding.remedy


def test_a_group_with_nothing_but_unknown_targets_is_an_error():
    """It has no fallback at all, although one is written."""
    (finding,) = unknown_target(with_target("nosuch", chain=("claude",)))
    assert finding.severity == "error"
    assert "the group has no other fallback" in finding.message


@pytest.mark.parametrize("target", ["local-gemma", "spare", "openai/gpt-9", "anthropic/claude-7"])
def test_what_litellm_finds_under_another_name_is_known(target):
    """Groups, aliases, models of a wildcard and a deployment's own model can be called."""
    seen = with_target(
        target,
        groups={"other": group("other", litellm_model="anthropic/claude-7")},
        changes={"aliases": {"spare": "local-gemma"}},
        wildcards={"openai/*": "other"},
    )
    assert brief(unknown_target(seen)) == []


def test_default_and_special_lists_are_read_too():
    """A typo in any of the four lists is told once."""
    settings = RouterSettings(
        context_window_fallbacks=({"claude": ("one",)},),
        content_policy_fallbacks=({"claude": ("two",)},),
        default_fallbacks=("three",),
    )
    found = list(unknown_target(audited({"claude": ["local"]}, settings=settings)))
    assert [finding.message.split()[0] for finding in found] == [
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "default_fallbacks",
    ]


def test_what_only_the_chain_knows_to_be_missing_is_told():
    """A twin's topology has chains and no lists."""
    chains = (Chain("claude", Trigger.GENERAL, ("claude", "local"), missing=("gone",)),)
    seen = audited({"claude": ["local"]})
    topology = seen.topology.__class__(seen.topology.litellm_version, seen.topology.groups, chains)
    found = unknown_target(seen.__class__(topology))
    assert brief(found) == [("unknown_target", "warning", "claude")]
