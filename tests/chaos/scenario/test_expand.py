"""Which drills there are."""

from dataclasses import replace

import pytest

from chaos.errors import UsageError
from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS
from chaos.gateway.topology import Chain, ModelGroup, RouterSettings, Trigger
from chaos.gateway.virtual_key import VirtualKey
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import (
    Catalogue,
    Profile,
    Selection,
    chain_for,
    closed_to_caller,
    drilled_once,
    expand,
    not_covered,
    only_by_twin,
    scenarios_for,
)
from chaos.traffic.shapes import SHAPES
from tests.fakes.topologies import deployment, group, topology

CATALOGUE = Catalogue(faults=FAULTS, shapes=SHAPES, surfaces=SURFACES, dialects=DIALECTS)
CHAIN = {"claude": ["local-gemma"], "local-gemma": []}


def scenarios(gateway=None, **selection):
    """Expand a selection on a gateway with one chain of two hops."""
    names = tuple(map(FaultName.parse, selection.pop("faults", ())))
    return expand(gateway or topology(CHAIN), Selection(faults=names, **selection), CATALOGUE)


def test_smoke_is_every_depth_with_three_faults_three_shapes_streamed_and_not():
    """The default campaign is small enough to be run by hand and has every depth."""
    found = scenarios()
    assert len(found) == 2 * 3 * 3 * 2
    assert {str(s.fault) for s in found} == {"billing", "rate_limit", "server_error"}
    assert {s.shape for s in found} == {"chat", "tool_call", "agent"}
    assert {(s.depth, s.expected_hop) for s in found} == {(1, "local-gemma"), (2, None)}


def test_keys_are_unique_and_name_every_dimension():
    """A key is a scenario's identity across runs."""
    found = scenarios(profile=Profile.FULL)
    assert len({s.key for s in found}) == len(found)
    (one,) = scenarios(faults=("billing",), shapes=("chat",), stream=True, depth=1)
    assert one.key == "claude/general/1/billing/chat/chat_completions/stream"


def test_full_has_every_fault_once_and_every_shape_with_billing():
    """Full covers both dimensions without their product."""
    found = [s for s in scenarios(profile=Profile.FULL, depth=1) if s.surface == "messages"]
    with_hang = [s for s in found if str(s.fault) == "hang" and s.stream]
    with_billing = {s.shape for s in found if str(s.fault) == "billing" and s.stream}
    assert [s.shape for s in with_hang] == ["chat"]
    assert with_billing == {n for n, shape in SHAPES.items() if "messages" in shape.surfaces}
    assert {str(s.fault) for s in found if s.stream} >= {
        n for n, f in FAULTS.items() if not f.twin_only and f.lasts_s(None) is None
    }


@pytest.mark.parametrize("profile", Profile)
def test_a_fault_that_ends_is_drilled_only_by_name(profile):
    """It takes a minute, and a twin of its own."""
    found = scenarios(profile=profile, has_twin=True)
    assert "outage" not in {str(s.fault) for s in found}
    assert scenarios(profile=profile, has_twin=True, faults=("outage",))


def test_a_fault_of_streams_is_not_drilled_without_one():
    """A stream cannot break where none was asked for."""
    assert scenarios(faults=("stream_cut",), stream=False) == []
    assert all(s.stream for s in scenarios(faults=("stream_cut",)))


def test_a_cut_tool_call_is_drilled_with_a_shape_that_calls_tools():
    """Otherwise the fault would strike nothing."""
    found = scenarios(profile=Profile.FULL, faults=("tool_call_cut",))
    assert found
    assert all(SHAPES[s.shape].needs_tools for s in found)


def test_a_last_resort_is_not_drilled_by_itself():
    """That the local engine has no fallback is how it should be."""
    assert {s.group for s in scenarios()} == {"claude"}


def test_a_last_resort_that_is_asked_for_is_drilled():
    """Who names a group gets it."""
    assert {s.group for s in scenarios(groups=("local-gemma",))} == {"local-gemma"}


def test_a_group_without_a_chain_is_a_scenario_too():
    """Nobody falls back from it: that is worth a red line."""
    found = scenarios(topology({"claude": []}))
    assert {(s.group, s.chain, s.depth, s.expected_hop) for s in found} == {
        ("claude", ("claude",), 1, None)
    }


def test_a_dialect_without_the_fault_gets_a_server_error():
    """The local engine has no billing; at depth two it fails in a way that it has."""
    (one,) = scenarios(faults=("billing",), shapes=("chat",), stream=False, depth=2)
    assert played(one) == {"claude": "billing", "local-gemma": "server_error"}


def test_once_survives_the_substitution():
    """A hop that should fail only once fails only once, whatever it fails with."""
    (one,) = scenarios(faults=("billing.once",), shapes=("chat",), stream=False, depth=2)
    assert played(one)["local-gemma"] == "server_error.once"


def test_an_embedding_group_is_drilled_on_embeddings_only():
    """It has no other endpoint."""
    gateway = topology(
        {"embed": ["local-embed"], "local-embed": []},
        groups={
            "embed": group("embed", litellm_model="openai/e", mode="embedding"),
            "local-embed": group("local-embed", litellm_model="hosted_vllm/e", mode="embedding"),
        },
    )
    assert {(s.surface, s.shape, s.stream) for s in scenarios(gateway)} == {
        ("embeddings", "embedding", False)
    }


def test_a_special_trigger_walks_its_own_chain():
    """Context errors have a chain of their own where one is configured."""
    gateway = topology(CHAIN)
    special = Chain("claude", Trigger.CONTEXT_WINDOW, ("claude", "long", "local-gemma"))
    gateway = topology({**CHAIN, "long": []})
    gateway = type(gateway)(
        gateway.litellm_version, gateway.groups, (*gateway.chains, special), gateway.settings
    )
    (one,) = scenarios(
        gateway,
        groups=("claude",),
        faults=("context_window",),
        shapes=("chat",),
        stream=False,
        depth=1,
    )
    assert (one.trigger, one.expected_hop) == (Trigger.CONTEXT_WINDOW, "long")


def test_without_a_special_chain_the_general_one_is_expected():
    """Who wrote only general fallbacks expects them for every failure."""
    chain = chain_for(topology(CHAIN), "claude", Trigger.CONTENT_POLICY)
    assert (chain.trigger, chain.hops) == (Trigger.CONTENT_POLICY, ("claude", "local-gemma"))


def test_a_group_with_deployments_of_two_dialects_fails_in_both_of_them():
    """The witness plays each deployment's own error; what one of them lacks is not everybody's."""
    mixed = ModelGroup(
        "claude",
        (deployment("claude"), deployment("claude", litellm_model="hosted_vllm/claude", id="two")),
    )
    gateway = topology(CHAIN, groups={"claude": mixed})
    (one,) = scenarios(gateway, faults=("billing",), shapes=("chat",), stream=False, depth=1)
    assert played(one) == {"claude": "billing"}
    lacking = ModelGroup("claude", (deployment("claude", litellm_model="hosted_vllm/claude"),))
    gateway = topology(CHAIN, groups={"claude": lacking})
    (one,) = scenarios(gateway, faults=("billing",), shapes=("chat",), stream=False, depth=1)
    assert played(one) == {"claude": "server_error"}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_is_drilled_by_some_profile(shape):
    """A shape that no profile reaches would be dead."""
    gateway = topology(
        {**CHAIN, "embed": ["local-embed"], "local-embed": []},
        groups={"embed": group("embed", litellm_model="openai/e", mode="embedding")},
    )
    assert any(s.shape == shape for s in scenarios(gateway, profile=Profile.FULL))


def test_a_hop_that_the_gateway_never_reaches_is_drilled_as_meant():
    """The chain that counts is the configuration's, with its typing errors and its depth."""
    chain = Chain("claude", Trigger.GENERAL, ("claude", "local-gemma"), missing=("local-gema",))
    chain = replace(chain, named=("claude", "local-gema", "local-gemma"))
    gateway = replace(topology(CHAIN), chains=(chain,))
    found = scenarios(gateway, faults=("billing",), shapes=("chat",), stream=False)
    assert [s.expected_hop for s in found] == ["local-gema", "local-gemma", None]


def test_an_alias_is_drilled_by_name_or_if_it_has_a_chain_of_its_own():
    """Nobody wants two hundred drills of a wildcard; a chain keyed by an alias is in use."""
    names = {"best": group("best"), "other": group("other")}
    settings = RouterSettings(num_retries=0, fallbacks=({"best": ("local-gemma",)},))
    gateway = topology({**CHAIN, "best": ["local-gemma"]}, settings=settings)
    groups = {name: made for name, made in gateway.groups.items() if name != "best"}
    gateway = replace(gateway, groups=groups, other_names=names)
    assert {s.group for s in scenarios(gateway)} == {"claude", "best"}
    assert {s.group for s in scenarios(gateway, groups=("other",))} == {"other"}


@pytest.mark.parametrize(("model", "drilled"), [("openai/g", True), ("gemini/g", False)])
def test_a_chain_of_its_own_is_drilled_by_its_own_failure_alone(model, drilled):
    """A dialect without a content-policy error would get a 500, which walks another chain."""
    gateway = topology({"g": ["other"]}, {"g": group("g", litellm_model=model)})
    special = Chain("g", Trigger.CONTENT_POLICY, ("g", "safe"))
    gateway = replace(gateway, chains=(*gateway.chains, special))
    found = scenarios(gateway, groups=("g",), faults=("content_policy",), shapes=("chat",))
    assert bool(found) is drilled


def played(scenario):
    """What each failing hop gets, as people write it."""
    return {hop: str(fault) for hop, fault in scenario.faults.items()}


GATEWAY = topology({"claude": ["local-gemma"], "gpt": ["local-gemma"], "local-gemma": []})


def chosen(gateway=GATEWAY, **selection):
    """The scenarios of a selection, or why there are none."""
    faults = tuple(map(FaultName.parse, selection.pop("faults", ())))
    return scenarios_for(gateway, Selection(faults=faults, **selection), CATALOGUE)


@pytest.mark.parametrize(
    ("selection", "message", "remedy"),
    [
        ({"groups": ("cluade",)}, "'cluade' is not a model group", "Did you mean 'claude'?"),
        ({"shapes": ("chatt",)}, "'chatt' is not a traffic shape", "Did you mean 'chat'?"),
        ({"surfaces": ("message",)}, "'message' is not a surface", "Did you mean 'messages'?"),
        ({"depth": 9}, "there is nothing to drill", "--depth"),
        ({"faults": ("stream_cut",), "stream": False}, "there is nothing to drill", "--stream"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_way_out(selection, message, remedy):
    """Nothing to drill is an error, never a pass."""
    with pytest.raises(UsageError) as caught:
        chosen(**selection)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_a_gateway_without_models_is_nothing_to_drill():
    """A key that may see no model must not look like a clean bill of health."""
    with pytest.raises(UsageError, match="no model groups"):
        chosen(topology({}))


def test_faults_that_only_a_twin_has_are_left_out_without_one():
    """They would make every full run inconclusive; asked for by name they stay."""
    without = chosen(profile=Profile.FULL)
    with_twin = chosen(profile=Profile.FULL, has_twin=True)
    assert "connection_refused" not in {str(s.fault) for s in without}
    assert "connection_refused" in {str(s.fault) for s in with_twin}
    assert chosen(faults=("connection_refused",))


MODES = {"ears": "audio_transcription", "voice": "audio_speech", "rank": "rerank"}
OTHERS = topology(
    {**CHAIN, **{name: ["local-gemma"] for name in MODES}},
    groups={name: group(name, mode=mode) for name, mode in MODES.items()},
)


def test_a_group_that_neither_chats_nor_embeds_is_not_drilled():
    """It would refuse a chat, and that would prove nothing about its fallback."""
    assert {one.group for one in scenarios(OTHERS)} == {"claude"}
    assert not_covered(OTHERS) == MODES


def test_a_group_that_no_drill_can_ask_is_refused_by_name():
    """With its mode; a drill that asked it otherwise could not pass."""
    with pytest.raises(UsageError, match="its mode is rerank"):
        scenarios_for(OTHERS, Selection(groups=("rank",)), CATALOGUE)


def test_an_alias_of_such_a_group_is_not_drilled_either():
    """Whatever chain it has of its own."""
    settings = RouterSettings(fallbacks=({"by-ear": ("local-gemma",)},))
    aliased = replace(
        OTHERS, settings=settings, other_names={"by-ear": group("ears", mode="audio_transcription")}
    )
    assert {one.group for one in scenarios(aliased)} == {"claude"}


WILD = replace(
    topology({"openai/gpt": ["local-gemma"], "local-gemma": [], "house-*": []}),
    wildcards=("house-*",),
    standing={"openai/*": "openai/gpt"},
)


def test_a_wildcard_that_is_asked_for_is_drilled_as_its_model():
    """Once, also where somebody names both."""
    by_pattern = scenarios(WILD, groups=("openai/*", "openai/gpt"))
    assert by_pattern == scenarios(WILD, groups=("openai/gpt",))
    assert chosen(WILD, groups=("openai/*",))


def test_a_wildcard_for_which_no_model_stands_is_refused():
    """LiteLLM would take the star for a part of a model's name."""
    with pytest.raises(UsageError, match=r"no model stands for the wildcard 'house-\*'") as caught:
        chosen(WILD, groups=("house-*",))
    assert 'wildcards: {"house-*": house-NAME}' in caught.value.remedy


def aliased(chains=CHAIN, *, groups=None, settings=RouterSettings(), **aliases):  # noqa: B008 -- frozen
    """A gateway with aliases, each of the group that it names."""
    made = topology(chains, groups)
    named = {alias: made.groups[name] for alias, name in aliases.items()}
    real = {name: group for name, group in made.groups.items() if name not in aliases}
    return replace(made, groups=real, other_names=named, aliases=aliases, settings=settings)


def test_an_alias_without_its_group_s_chain_is_drilled_like_a_group():
    """LiteLLM looks fallbacks up by the alias, so that its users have none."""
    found = [s for s in scenarios(aliased(best="claude")) if s.group == "best"]
    assert {s.chain for s in found} == {("best",)}
    assert len(found) == 3 * 3 * 2


def test_an_alias_with_its_group_s_chain_is_drilled_once():
    """The deployments are the same and so are the hops: one drill shows that the name works."""
    gateway = aliased({**CHAIN, "best": ["local-gemma"]}, best="claude")
    gateway = replace(gateway, other_names={"best": gateway.groups["claude"]})
    for profile in (Profile.SMOKE, Profile.FULL):
        (one,) = [s for s in scenarios(gateway, profile=profile) if s.group == "best"]
        assert (one.depth, one.shape, one.stream) == (1, "chat", False)
    by_name = scenarios(gateway, groups=("best",))
    assert len(by_name) == 2 * 3 * 3 * 2


def test_an_alias_that_differs_for_one_kind_of_failure_differs():
    """A list of its own for a context that is too long, say."""
    gateway = aliased({**CHAIN, "best": ["local-gemma"]}, best="claude")
    special = Chain("claude", Trigger.CONTEXT_WINDOW, ("claude", "long"))
    assert drilled_once(gateway) == {"best"}
    assert drilled_once(replace(gateway, chains=(*gateway.chains, special))) == frozenset()


def test_an_alias_of_a_last_resort_is_not_drilled():
    """That nothing comes after it is how it should be, by whatever name."""
    assert {s.group for s in scenarios(aliased(local="local-gemma"))} == {"claude"}


def test_an_alias_of_a_group_that_no_drill_can_ask_is_left_out():
    """It would refuse a chat by this name too."""
    ears = {"ears": group("ears", mode="audio_transcription")}
    gateway = aliased({**CHAIN, "ears": []}, groups=ears, listen="ears")
    assert {s.group for s in scenarios(gateway)} == {"claude"}


def test_a_hidden_alias_is_drilled_where_a_twin_can_do_it():
    """LiteLLM lets no request redirect it; asked for by name it stays."""
    gateway = replace(aliased(best="claude"), hidden_aliases=frozenset({"best"}))
    assert {s.group for s in scenarios(gateway)} == {"claude"}
    assert only_by_twin(gateway) == ("best",)
    assert {s.group for s in scenarios(gateway, has_twin=True)} == {"claude", "best"}
    assert {s.group for s in scenarios(gateway, groups=("best",))} == {"best"}


def test_what_a_virtual_key_may_not_ask_for_is_not_drilled():
    """It is listed with the reason, and refused by name; as a hop of a chain it stays."""
    gateway = topology({"claude": ["local"], "gpt": ["local"]})
    key = VirtualKey("a", models=frozenset({"claude", "gpt"}), aliases={"gpt": "claude"})
    theirs = replace(gateway, caller=key)
    assert {(one.group, one.chain) for one in scenarios(theirs)} == {
        ("claude", ("claude", "local"))
    }
    assert closed_to_caller(theirs) == {
        "gpt": "the key a gets claude for it",
        "local": "the key a may not ask for it",
    }
    assert closed_to_caller(gateway) == {}
    with pytest.raises(UsageError, match="the key a may not ask for it"):
        scenarios_for(theirs, Selection(groups=("local",)), CATALOGUE)
