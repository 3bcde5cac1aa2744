"""Whoever calls a group, an alias or a wildcard learns whether anything stands behind it."""

import pytest
import yaml

from chaos.gateway.topology import ModelGroup, RouterSettings
from supervisor.audit.rules.no_fallback import (
    alias_without_fallback,
    no_fallback,
    wildcard_without_fallback,
)
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group

CHAINED = RouterSettings(fallbacks=({"claude": ("local-gemma",)},))


def test_every_group_without_a_chain_is_named_once():
    """A gateway without fallbacks is told of each of its groups."""
    found = brief(no_fallback(audited({"claude": [], "gpt": [], "local-gemma": []})))
    assert found == [("no_fallback", "error", n) for n in ("claude", "gpt", "local-gemma")]


@pytest.mark.parametrize(
    ("chains", "entry"),
    [
        ({"claude": [], "local-gemma": []}, None),
        ({"local-gemma": []}, '- "local-gemma": ["YOUR-LOCAL-GROUP"]'),  # nobody is to end with it
        ({"claude": [], "local-gemma": [], "local-b": []}, '- "local-gemma": ["local-b"]'),
        ({"claude": ["gpt"], "local-gemma": []}, '- "local-gemma": ["YOUR-LOCAL-GROUP"]'),
    ],
)
def test_what_the_others_are_to_end_with_gets_no_entry_that_names_nobody(chains, entry):
    """It is their last resort, once they have theirs."""
    (found,) = [one for one in no_fallback(audited(chains)) if one.subject == "local-gemma"]
    last = found.remedy.splitlines()[-1].strip()
    assert last == (entry or "Let the other groups end with it: then it is their last resort.")
    assert bool(found.config) is (entry is not None and "YOUR" not in entry)


def test_a_last_resort_needs_no_fallback_of_its_own():
    """Whoever is somebody's fallback is the end of a chain, and every chain ends somewhere."""
    assert brief(no_fallback(audited({"claude": ["local-gemma"], "local-gemma": []}))) == []


def test_the_target_of_an_alias_is_a_last_resort_too():
    """A chain may name its last hop by an alias, which LiteLLM resolves."""
    seen = audited(
        {"claude": ["gpt", "spare"], "local-gemma": []},
        changes={"aliases": {"spare": "local-gemma"}},
    )
    assert [subject for _, _, subject in brief(no_fallback(seen))] == []


def test_a_wildcard_is_not_taken_for_the_group_that_stands_for_it():
    """LiteLLM lists a wildcard as models that nobody wrote down."""
    seen = audited({"openai/gpt-x": []}, wildcards={"openai/*": "openai/gpt-x"})
    assert brief(no_fallback(seen)) == []
    assert brief(wildcard_without_fallback(seen)) == [
        ("wildcard_without_fallback", "error", "openai/*")
    ]


def test_the_remedy_names_a_local_group_and_is_yaml():
    """The lines can be pasted as they are."""
    seen = audited({'cla"ude': [], "local-gemma": []})
    (finding, _) = no_fallback(seen)
    _, _, lines = finding.remedy.partition("\n")
    assert yaml.safe_load(lines) == {
        "router_settings": {"fallbacks": [{'cla"ude': ["local-gemma"]}]}
    }


def test_the_remedy_never_offers_a_second_list():
    """A list in router_settings would hide the one that is in litellm_settings."""
    (finding,) = no_fallback(audited({"claude": ["local"], "gpt": []}, settings=CHAINED))
    assert "router_settings" not in finding.remedy
    assert '- "gpt": ["local"]' in finding.remedy


def test_an_embedding_group_is_not_sent_to_a_model_that_answers():
    """Its fallback must make embeddings as well."""
    groups = {"embed": group("embed", mode="embedding")}
    (finding, _) = no_fallback(audited({"embed": [], "local-gemma": []}, groups=groups))
    assert "YOUR-LOCAL-GROUP" in finding.remedy


def test_the_chain_of_a_group_does_not_hold_for_its_alias():
    """LiteLLM looks up the name that was called."""
    seen = audited(
        {"claude": ["local-gemma"]}, settings=CHAINED, changes={"aliases": {"best": "claude"}}
    )
    (finding,) = alias_without_fallback(seen)
    assert brief([finding]) == [("alias_without_fallback", "error", "best")]
    assert '- "best": ["local-gemma"]' in finding.remedy


def test_an_alias_with_a_chain_or_a_default_is_well():
    """A key that is the alias works, and so does the default."""
    for settings in (
        RouterSettings(fallbacks=({"best": ("local-gemma",)},)),
        RouterSettings(default_fallbacks=("local-gemma",)),
    ):
        seen = audited(
            {"claude": ["local-gemma"]}, settings=settings, changes={"aliases": {"best": "claude"}}
        )
        assert brief(alias_without_fallback(seen)) == []


def test_an_alias_of_a_last_resort_needs_no_fallback():
    """Nothing is behind the last resort itself either."""
    seen = audited({"claude": ["local-gemma"]}, changes={"aliases": {"spare": "local-gemma"}})
    assert brief(alias_without_fallback(seen)) == []


def test_a_key_with_a_star_is_told_to_be_dead():
    """It looks like a fallback for every model and never matches one."""
    settings = RouterSettings(fallbacks=({"openai/*": ("local",)},))
    seen = audited({"openai/x": []}, settings=settings, wildcards={"openai/*": "openai/x"})
    (finding,) = wildcard_without_fallback(seen)
    assert "the key 'openai/*' never matches" in finding.message


def test_a_wildcard_with_a_default_is_well():
    """Every model of it falls back to the default."""
    settings = RouterSettings(default_fallbacks=("local",))
    seen = audited({"x": []}, settings=settings, wildcards={"openai/*": "x"})
    assert brief(wildcard_without_fallback(seen)) == []


def test_an_alias_of_a_group_that_stands_alone_is_told_too():
    """It is sent to a local group, like the group itself."""
    seen = audited({"claude": [], "local-gemma": []}, changes={"aliases": {"best": "claude"}})
    (finding,) = alias_without_fallback(seen)
    assert '- "best": ["local-gemma"]' in finding.remedy


def test_an_alias_of_a_hop_in_between_is_told():
    """Its group is somebody's fallback and has one itself."""
    seen = audited(
        {"gpt": ["claude"], "claude": ["local"]}, changes={"aliases": {"best": "claude"}}
    )
    assert [subject for _, _, subject in brief(alias_without_fallback(seen))] == ["best"]


def test_a_wildcard_of_which_some_models_have_a_chain_is_a_warning():
    """The others have none; keys of other providers do not count."""
    settings = RouterSettings(fallbacks=({"openai/a": ("local",)}, {"mistral/b": ("local",)}))
    seen = audited({"x": []}, settings=settings, wildcards={"openai/*": "x"})
    (finding,) = wildcard_without_fallback(seen)
    assert brief([finding]) == [("wildcard_without_fallback", "warning", "openai/*")]
    assert "only 'openai/a' of its models" in finding.message


def test_a_group_with_orders_is_its_own_fallback():
    """LiteLLM goes on to the next order by itself."""
    first = group("claude", order=1).deployments
    both = ModelGroup("claude", (*first, *group("claude", order=2, id="two").deployments))
    assert brief(no_fallback(audited({"claude": []}, groups={"claude": both}))) == []
    alone = ModelGroup("claude", first)
    assert brief(no_fallback(audited({"claude": []}, groups={"claude": alone}))) == [
        ("no_fallback", "error", "claude")
    ]


def two_orders(name):
    """A group whose second deployment is asked after the first."""
    first = group(name, order=1).deployments
    return ModelGroup(name, (*first, *group(name, order=2, id="two").deployments))


def test_an_alias_of_a_group_with_orders_is_well():
    """LiteLLM goes on to the next order whatever name was called."""
    seen = audited(
        {"claude": []},
        groups={"claude": two_orders("claude")},
        changes={"aliases": {"b": "claude"}},
    )
    assert brief(alias_without_fallback(seen)) == []


def test_a_wildcard_with_orders_is_well():
    """Listed by its pattern, or as the first of the models that it takes."""
    for name, wildcards in (("openai/*", {}), ("openai/gpt-x", {"openai/*": "openai/gpt-x"})):
        seen = audited(
            {name: []},
            groups={name: two_orders(name)},
            wildcards=wildcards,
            changes={"wildcards": ("openai/*",)},
        )
        assert brief(wildcard_without_fallback(seen)) == []
