"""One model stands for a wildcard, the same after every start, or the one that the user names."""

import pytest

from chaos.gateway.topology_reader import GatewayAnswers, read_topology
from chaos.gateway.wildcards import lists, matches, pattern_of, read_wildcards


def row(name, *, identity="wild", model=None, **info):
    """One row of /model/info."""
    return {
        "model_name": name,
        "litellm_params": {"model": model or name, "api_base": "http://up/v1"},
        "model_info": {"id": identity, **info},
    }


OPENAI = [row(f"openai/{name}", max_input_tokens=7) for name in ("gpt-4o", "gpt-4o-mini", "o3")]


def read(rows, aliases=None, **wildcards):
    """Read a gateway with these rows."""
    router = {"model_group_alias": aliases or {}}
    return read_topology(GatewayAnswers("1.106.2", rows, router), wildcards=wildcards)


def test_a_wildcard_is_known_by_many_names_of_one_deployment():
    """An alias is a second name too, and no wildcard."""
    rows = [*OPENAI, row("claude", identity="two"), row("best", identity="two")]
    assert read(rows, {"best": "claude"}).standing == {"openai/*": "openai/gpt-4o"}


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("openai/gpt-1", "openai/gpt-2"), "openai/*"),
        (("claude-x", "gpt-x"), "*"),
        (("a/b/one", "a/b/other"), "a/b/*"),
        (("gpt-*",), "gpt-*"),
        (("openai/*", "openai/o3"), "openai/*"),
    ],
)
def test_the_pattern_is_what_the_names_have_in_common(names, pattern):
    """LiteLLM does not tell the pattern of a wildcard that it lists as models."""
    assert pattern_of(names) == pattern


@pytest.mark.parametrize("order", [1, -1])
def test_the_user_says_which_model_stands(order):
    """The one that clients use, and not the first by name."""
    topology = read(OPENAI[::order], **{"openai/*": "openai/o3"})
    assert topology.standing == {"openai/*": "openai/o3"}
    assert set(topology.groups) == {"openai/o3"}
    assert set(topology.other_names) == {"openai/gpt-4o", "openai/gpt-4o-mini"}


def test_a_model_that_litellm_does_not_list_can_stand():
    """It is served all the same; what LiteLLM knows of others says nothing about it."""
    topology = read(OPENAI, **{"openai/*": "openai/gpt-9"})
    (made,) = topology.groups["openai/gpt-9"].deployments
    assert (made.id, made.upstream_model, made.base_url) == ("wild", "gpt-9", "http://up/v1")
    assert made.max_input_tokens is None


@pytest.mark.parametrize(
    ("pattern", "target", "model", "upstream"),
    [
        ("gpt-*", "openai/gpt-*", "gpt-9", "gpt-9"),
        ("house/*", "openai/*", "house/gpt-9", "gpt-9"),
        ("house/*", "openai/gpt-5", "house/any", "gpt-5"),
        ("a-*-*", "openai/*", "a-b-c", "a-b-c"),
    ],
)
def test_a_pattern_without_known_models_is_asked_as_litellm_would(pattern, target, model, upstream):
    """The stars of the upstream's name are what the client wrote in their place."""
    topology = read([row(pattern, model=target, mode="chat")], **{pattern: model})
    (made,) = topology.groups[model].deployments
    assert (made.upstream_model, made.mode) == (upstream, "chat")
    assert topology.standing == {pattern: model}
    assert topology.wildcards == ()


def test_a_pattern_without_known_models_has_nobody_to_stand_for_it():
    """Nothing is guessed."""
    topology = read([row("gpt-*")])
    assert (topology.wildcards, topology.standing) == (("gpt-*",), {})


def test_every_deployment_of_a_wildcard_has_the_same_model():
    """Two deployments of one pattern are one group."""
    more = [{**one, "model_info": {"id": "wild-2"}} for one in OPENAI]
    topology = read([*OPENAI, *more], **{"openai/*": "openai/gpt-9"})
    assert {d.id for d in topology.groups["openai/gpt-9"].deployments} == {"wild", "wild-2"}


def test_a_group_of_the_exact_name_is_not_the_wildcard():
    """LiteLLM serves it by itself, so that it says nothing about the wildcard."""
    rows = [row("openai/gpt-4o", identity="own"), *OPENAI]
    topology = read(rows)
    assert topology.standing == {"openai/*": "openai/gpt-4o-mini"}
    assert {d.id for d in topology.groups["openai/gpt-4o"].deployments} == {"own"}
    assert read(rows, **{"openai/*": "openai/gpt-4o"}).standing == topology.standing


def test_a_longer_pattern_than_the_names_show_is_known():
    """The user knows it from LiteLLM's configuration."""
    found = read_wildcards(OPENAI[:2], {}, {"openai/gpt-*": "openai/gpt-9"})
    assert found.models == {"openai/gpt-*": "openai/gpt-9"}


def test_a_wildcard_that_is_listed_by_the_provider_s_names_is_known():
    """LiteLLM lists house-* for openai/house-* as openai/house-gpt-4o, which nobody may call."""
    rows = [row("openai/house-gpt-4o"), row("openai/house-o3")]
    topology = read(rows, **{"house-*": "house-x"})
    (made,) = topology.groups["house-x"].deployments
    assert (made.dialect, made.upstream_model) == ("openai", "house-x")
    assert topology.standing == {"house-*": "house-x"}


def test_a_choice_for_a_wildcard_that_is_not_there_changes_nothing():
    """It is reported elsewhere."""
    assert read(OPENAI, **{"opnai/*": "opnai/x"}) == read(OPENAI)


def test_a_pattern_means_its_model():
    """Whoever names the wildcard gets what stands for it."""
    topology = read(OPENAI)
    assert topology.called("openai/*") == "openai/gpt-4o"
    assert topology.find("openai/*") is topology.groups["openai/gpt-4o"]
    assert topology.called("openai/o3") == "openai/o3"


def test_names_match_as_litellm_matches_them():
    """Case counts, a dot is a dot, and the end is open."""
    assert matches("openai/*", "openai/x/y")
    assert matches("gpt-*-mini", "gpt-4-mini-2025")
    assert not matches("openai/*", "OpenAI/x")
    assert not matches("a.b/*", "axb/c")


def test_a_wildcard_is_listed_by_its_own_names_or_by_the_provider_s():
    """Whoever may call one of them may call the others."""
    assert lists("openai/*", "openai/o3")
    assert lists("house-*", "openai/house-o3")
    assert not lists("house-*", "openai/o3")
