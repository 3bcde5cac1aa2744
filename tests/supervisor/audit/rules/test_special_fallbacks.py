"""A list for one class of errors takes the others' fallback away."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.gateway.topology import Chain, RouterSettings, Trigger
from supervisor.audit.rules.special_fallbacks import special_fallbacks_shadow_general
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group

CHAINS = {"claude": ["local"], "gpt": ["local"], "alone": []}


def with_list(setting, trigger):
    """A gateway whose list of this kind names only claude."""
    values: Any = {setting: ({"claude": ("local",)},)}
    seen = audited(CHAINS, settings=RouterSettings(**values))
    special = Chain("claude", trigger, ("claude", "local"))
    return replace(seen, topology=replace(seen.topology, chains=(*seen.topology.chains, special)))


@pytest.mark.parametrize(
    ("setting", "trigger", "cause"),
    [
        ("context_window_fallbacks", Trigger.CONTEXT_WINDOW, "a context-window error"),
        ("content_policy_fallbacks", Trigger.CONTENT_POLICY, "a content-policy error"),
    ],
)
def test_groups_outside_the_list_lose_their_fallback(setting, trigger, cause):
    """Only groups that have a general chain have something to lose."""
    (finding,) = special_fallbacks_shadow_general(with_list(setting, trigger))
    assert brief([finding]) == [("special_fallbacks_shadow_general", "warning", "gpt")]
    assert cause in finding.message
    assert finding.remedy.startswith(f"Add to the list of {setting} ")
    assert finding.remedy.endswith('\n- "gpt": ["local"]')


def test_an_empty_list_in_litellm_settings_counts():
    """It switches the general list off for everybody, and only the file shows it."""
    config: Any = {"litellm_settings": {"context_window_fallbacks": []}}
    found = brief(special_fallbacks_shadow_general(audited(CHAINS, config=config)))
    assert [subject for _, _, subject in found] == ["claude", "gpt"]


def test_without_such_a_list_the_general_one_answers():
    """Nothing is told where nothing is set."""
    assert brief(special_fallbacks_shadow_general(audited(CHAINS))) == []


@pytest.mark.parametrize(
    ("mode", "told"), [("responses", ["gpt"]), (None, ["gpt"]), ("embedding", []), ("rerank", [])]
)
def test_groups_of_other_modes_are_not_asked(mode, told):
    """An embedding model needs no list for prompts that are too long or refused."""
    seen = with_list("context_window_fallbacks", Trigger.CONTEXT_WINDOW)
    groups = {**seen.topology.groups, "gpt": group("gpt", mode=mode)}
    seen = replace(seen, topology=replace(seen.topology, groups=groups))
    found = brief(special_fallbacks_shadow_general(seen))
    assert [subject for _, _, subject in found] == told
