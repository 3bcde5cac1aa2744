"""What a gateway says becomes a topology; null is unknown, never no."""

from typing import Any

import pytest

from chaos.gateway.locality import Locality
from chaos.gateway.topology import Trigger
from chaos.gateway.topology_reader import (
    GatewayAnswers,
    as_asked_by,
    flag,
    read_deployment,
    read_topology,
)
from chaos.gateway.virtual_key import VirtualKey
from tests.fakes.recorded_gateway import recorded


def real():
    """The topology of the recorded gateway."""
    return read_topology(
        GatewayAnswers(
            version="1.106.2",
            models=recorded("model_info")["data"],
            router=recorded("get_config_callbacks")["router_settings"],
            file=recorded("router_settings")["current_values"],
        )
    )


def read(one, locality=Locality(), *, default_bases=None):  # noqa: B008 -- frozen
    """Read one row of /model/info."""
    return read_deployment(one, locality, default_bases or {})


def row(**params):
    """One row of /model/info."""
    return {
        "model_name": "g",
        "litellm_params": {"model": "openai/gpt-x", **params},
        "model_info": {"id": "1"},
    }


def test_chains_are_what_the_router_has_loaded():
    """Its own entry, the default for the others, and class lists under their trigger."""
    topology = real()
    assert topology.chain("anthropic-base").hops == ("anthropic-base", "openai-base", "fb")
    assert topology.chain("anthropic").hops == ("anthropic", "fb")
    special = topology.chain("anthropic-base", Trigger.CONTENT_POLICY)
    assert special.hops == ("anthropic-base", "fb")


def test_an_alias_is_no_group_of_its_own():
    """LiteLLM lists a plain alias as one more row of the same deployment."""
    topology = real()
    assert topology.aliases["plain-alias"] == "anthropic-base"
    assert topology.aliases["hidden-alias"] == "anthropic-base"
    assert "plain-alias" not in topology.groups


def test_a_wildcard_is_not_two_hundred_groups():
    """LiteLLM expands a wildcard into every model that it knows, all with one id."""
    wild = [name for name in real().groups if name.startswith("wild/")]
    assert len(wild) <= 1


@pytest.mark.parametrize("order", [1, -1])
def test_the_same_model_stands_for_a_wildcard_after_every_start(order):
    """The first that chats: LiteLLM lists models in an order of chance, and some only listen."""
    modes = {
        "openai/*": None,
        "openai/a-whisper": "audio_transcription",
        "openai/gpt": "chat",
        "openai/gpt-mini": "chat",
    }
    rows = [
        {
            "model_name": name,
            "litellm_params": {"model": name},
            "model_info": {"id": "1", "mode": mode},
        }
        for name, mode in modes.items()
    ]
    topology = read_topology(GatewayAnswers("1", rows[::order], {}))
    assert set(topology.groups) == {"openai/gpt"}
    assert set(topology.other_names) == set(modes) - {"openai/gpt"}


def test_a_deployment_knows_its_dialect_model_and_address():
    """What crosses the wire, and where it goes if nobody redirects it."""
    (deployment,) = real().groups["anthropic"].deployments
    assert (deployment.dialect, deployment.upstream_model) == ("anthropic", "claude-sonnet-4-5")
    assert deployment.base_url is None
    assert deployment.redirect_permission is not None
    assert deployment.max_input_tokens == 200_000
    assert deployment.supports_tools is True


def test_null_is_unknown():
    """LiteLLM knows nothing of a local model; that is not a no."""
    bare = read(row(model="hosted_vllm/x"))
    assert bare.supports_tools is None
    assert bare.input_cost_per_token is None
    assert bare.redirect_permission is None


def test_base_url_wins_over_api_base_and_cannot_be_redirected():
    """LiteLLM takes it for the address, whatever the request says."""
    both = read(row(api_base="http://a/v1", base_url="http://b/v1"))
    assert (both.base_url, both.redirectable) == ("http://b/v1", False)
    usual = read(row(api_base="http://a/v1"))
    assert (usual.base_url, usual.redirectable) == ("http://a/v1", True)


def test_an_address_that_is_not_named_is_not_guessed():
    """OPENAI_BASE_URL in the gateway's environment, or a credential, may say another."""
    assert read(row()).base_url is None
    mine = {"openai": "https://proxy.example/v1"}
    assert read(row(), default_bases=mine).base_url == "https://proxy.example/v1"
    stored = row(litellm_credential_name="ours")
    assert read(stored, default_bases=mine).base_url is None


def test_where_a_deployment_is_comes_from_its_locality():
    """What its host resolves to, and whether it does at all."""
    at = Locality(addresses={"gpu.example": ("10.0.0.7",), "gone.example": ()})
    here = read(row(api_base="http://gpu.example:8000/v1"), at)
    assert (here.local, here.resolves) == (True, True)
    gone = read(row(api_base="http://gone.example:8000/v1"), at)
    assert (gone.local, gone.resolves) == (False, False)


@pytest.mark.parametrize(
    ("params", "pattern"),
    [
        ([{"api_base": "^x$"}], "^x$"),
        (["api_base"], ".*"),
        (["api_key"], None),
        (None, None),
    ],
)
def test_the_permission_is_the_pattern_for_the_address(params, pattern):
    """The bare name permits any address; another parameter permits none."""
    made = read(row(configurable_clientside_auth_params=params))
    assert made.redirect_permission == pattern


def test_a_target_that_does_not_exist_is_missing_not_a_hop():
    """LiteLLM skips it without a word."""
    topology = read_topology(
        GatewayAnswers("1.106.2", [row()], {"fallbacks": [{"g": ["typo", "g2"]}]})
    )
    chain = topology.chain("g")
    assert (chain.hops, chain.missing) == (("g",), ("typo", "g2"))


def test_garbage_is_an_empty_topology_not_a_crash():
    """A version that renames its fields is found out by the audit, not by a traceback."""
    topology = read_topology(GatewayAnswers("", [{}], {"fallbacks": ["x", {"g": "y"}]}))
    assert topology.chain("g").fallbacks == ()


def named(*names, router, **aliases):
    """Read a gateway with a group for each name, and with aliases of them."""
    rows = [
        {**row(model=f"openai/up-{name}"), "model_name": name, "model_info": {"id": f"id-{name}"}}
        for name in names
    ]
    rows += [
        {**r, "model_name": a} for a, n in aliases.items() for r in rows if n == r["model_name"]
    ]
    return read_topology(GatewayAnswers("1.106.2", rows, {**router, "model_group_alias": aliases}))


@pytest.mark.parametrize("target", ["best", "openai/up-b", "id-b"])
def test_a_target_by_another_name_is_the_group_that_serves_it(target):
    """An alias, a deployment's model and its id all lead to the group seen on the wire."""
    topology = named("a", "b", router={"fallbacks": [{"a": [target]}]}, best="b")
    assert topology.chain("a").hops == ("a", "b")
    assert topology.chain("a").missing == ()


def test_what_the_configuration_names_is_kept_in_its_order():
    """A drill holds the gateway to every hop, those too that LiteLLM will never reach."""
    router = {"fallbacks": [{"a": ["tpyo", "b"]}, {"b": ["c"]}]}
    file = {"max_fallbacks": 2}
    rows = [
        {"model_name": n, "litellm_params": {"model": f"openai/{n}"}, "model_info": {"id": n}}
        for n in "abc"
    ]
    chain = read_topology(GatewayAnswers("1.106.2", rows, router, file)).chain("a")
    assert (chain.hops, chain.missing, chain.cut) == (("a", "b"), ("tpyo",), ("c",))
    assert chain.meant == ("a", "tpyo", "b", "c")


def test_an_alias_can_be_asked_for_and_has_only_chains_of_its_own():
    """LiteLLM looks chains up by the name as called."""
    router = {"fallbacks": [{"a": ["b"]}, {"second": ["b"]}]}
    topology = named("a", "b", router=router, first="a", second="a")
    assert topology.find("first").deployments[0].upstream_model == "up-a"
    assert topology.chain("first").meant == ("first",)
    assert topology.chain("second").meant == ("second", "b")


@pytest.mark.parametrize("target", ["a", {"model": "a", "hidden": True}])
def test_an_alias_that_the_gateway_does_not_list_can_be_asked_for(target):
    """Clients may use a hidden one all the same."""
    rows = [{**row(model="openai/up"), "model_name": "a"}]
    router = {
        "model_group_alias": {"behind": target, "twice": "behind", "gone": "nobody"},
        "fallbacks": [{"behind": ["a"]}],
    }
    topology = read_topology(GatewayAnswers("1.106.2", rows, router))
    (made,) = topology.other_names["behind"].deployments
    assert (made.group, made.upstream_model) == ("behind", "up")
    assert topology.chain("behind").meant == ("behind", "a")
    assert list(topology.other_names) == ["behind"]  # LiteLLM follows an alias once
    assert topology.hidden_aliases == (frozenset() if target == "a" else {"behind"})


def test_every_model_of_a_wildcard_can_be_asked_for():
    """Only one of them is a group of the topology; the others are its other names."""
    topology = real()
    listed = {
        r["model_name"] for r in recorded("model_info")["data"] if r["model_name"][:5] == "wild/"
    }
    assert listed
    assert all(topology.find(name) is not None for name in listed)


@pytest.mark.parametrize(
    ("told", "number"),
    [
        *((5, 5), ("5", 5), (0, 0), (None, None), ("x", None)),
        *((float("inf"), None), (float("nan"), None), (10**400, None), ("9" * 5_000, None)),
    ],
)
def test_a_deployment_may_have_retries_of_its_own(told, number):
    """LiteLLM takes them from an environment variable too, as text."""
    assert read(row(num_retries=told)).num_retries == number


def test_a_group_may_have_a_retry_policy_of_its_own():
    """What it does not set is null."""
    policy = {"RateLimitErrorRetries": 4, "TimeoutErrorRetries": None}
    found = named("a", router={"model_group_retry_policy": {"a": policy}})
    assert found.settings.group_retry_policies == {"a": {"RateLimitErrorRetries": 4}}


def test_no_fallbacks_at_all_may_be_allowed():
    """Zero is a number: every hop is cut off, and none is forgotten."""
    answers = GatewayAnswers(
        version="1.106.2",
        models=[{"model_name": name, "model_info": {"id": name}} for name in ("a", "b")],
        router={"fallbacks": [{"a": ["b"]}]},
        file={"max_fallbacks": 0},
    )
    chain = read_topology(answers).chain("a")
    assert (chain.hops, chain.cut, chain.meant) == (("a",), ("b",), ("a", "b"))


def test_parameters_of_a_target_are_known_by_name():
    """What the chain sets anew for a hop, the client did not ask."""
    chains = [{"a": [{"model": "b", "temperature": 0.1}, "c"]}, {"c": [{"model": "b", "n": 1}]}]
    topology = named("a", "b", "c", router={"fallbacks": chains})
    assert topology.settings.target_parameters == {"b": {"temperature", "n"}}


def test_tools_and_sizes_of_a_deployment_are_read():
    """A deployment's own tools are no meddling, and its embeddings have a size."""
    tool = {"type": "function", "function": {"name": "search"}}
    row: dict[str, Any] = {
        "model_name": "m",
        "litellm_params": {
            "model": "openai/m",
            "tools": [tool, {"type": "web_search"}],
            "extra_body": {"tools": [{"name": "own"}]},
        },
        "model_info": {"id": "1", "output_vector_size": 1536},
    }
    made = read_deployment(row, Locality(), {})
    assert (set(made.own_tools), made.vector_size) == ({"search", "own"}, 1536)
    row["litellm_params"]["dimensions"] = 256
    assert read_deployment(row, Locality(), {}).vector_size == 256


@pytest.mark.parametrize("params", [{"use_litellm_proxy": True}, {"https_proxy": "http://p:3128"}])
def test_a_deployment_with_a_proxy_of_its_own_has_no_known_address(params):
    """Its requests go by a way that nobody shows; real keys never follow."""
    named = {"model": "openai/m", "api_base": "https://api.example/v1"}
    row = {"model_name": "m", "litellm_params": {**named, **params}, "model_info": {"id": "1"}}
    assert read_deployment(row, Locality(), {"openai": "https://else.example"}).base_url is None
    row = {"model_name": "m", "litellm_params": {**named, "use_litellm_proxy": False}}
    assert read_deployment(row, Locality(), {}).base_url == "https://api.example/v1"


@pytest.mark.parametrize(
    ("params", "info", "order"),
    [({"order": 2}, {}, 2), ({}, {"order": 3}, 3), ({"order": 1}, {"order": 3}, 1), ({}, {}, None)],
)
def test_an_order_may_stand_in_either_place(params, info, order):
    """LiteLLM reads it from model_info where the parameters have none."""
    one = row(**params)
    assert read({**one, "model_info": {**one["model_info"], **info}}).order == order


def test_a_mode_that_is_no_word_is_unknown():
    """Whatever somebody writes into model_info is shown as it is."""
    assert read({**row(), "model_info": {"mode": ["chat"]}}).mode is None


def test_what_a_deployment_takes_and_drops_is_read():
    """In an order of its own, because paths are known again by it; null is unknown."""
    one = row(
        drop_params="true",
        additional_drop_params=["verbosity"],
        allowed_openai_params=["thinking", 1],
    )
    one["model_info"] |= {"supported_openai_params": ["tools", "max_tokens", "tools"]}
    made = read(one)
    assert made.supported_params == ("max_tokens", "tools")
    assert (made.drop_params, made.dropped_params) == (True, ("verbosity",))
    assert made.allowed_params == ("thinking",)
    unknown = read(row(drop_params=None))
    assert (unknown.supported_params, unknown.drop_params) == (None, None)
    assert unknown.allowed_params == ()


@pytest.mark.parametrize(
    ("info", "takes"),
    [
        ({"key": "gpt-x"}, False),
        ({"key": "gpt-x", "supports_reasoning": True}, True),
        ({"key": "openai/gpt-x"}, True),
        ({}, True),
    ],
)
def test_a_model_of_openai_s_catalogue_reasons_only_if_it_says_so(info, takes):
    """LiteLLM lists the effort for it under a name that it has not in the catalogue."""
    one = row()
    one["model_info"] |= {"supported_openai_params": ["reasoning_effort", "tools"], **info}
    assert ("reasoning_effort" in (read(one).supported_params or ())) is takes


@pytest.mark.parametrize(
    ("written", "flagged"),
    [(True, True), (False, False), (" On ", True), ("no", False), ("x", None), (1, None)],
)
def test_a_flag_may_be_a_word(written, flagged):
    """What is none counts as not set."""
    assert flag(written) is flagged


def test_the_list_of_a_key_counts_in_the_place_of_the_routers():
    """For every group, and also where it is empty; the other lists stay the router's."""
    router = {
        "fallbacks": [{"a": ["b"]}, {"b": ["c"]}, {"*": ["c"]}],
        "context_window_fallbacks": [{"a": ["c"]}],
        "num_retries": 2,
    }
    gateway = named("a", "b", "c", router=router)
    own = {"fallbacks": [{"a": ["c", {"model": "b", "timeout": 3}]}], "num_retries": 0}
    theirs = as_asked_by(gateway, VirtualKey("own", router_settings=own))
    assert theirs.chain("a").hops == ("a", "c", "b")
    assert theirs.chain("b").hops == ("b",)
    assert theirs.chain("a", Trigger.CONTEXT_WINDOW).hops == ("a", "c")
    assert theirs.settings.num_retries == 0
    assert theirs.settings.default_fallbacks == ()
    assert theirs.settings.target_parameters["b"] == {"timeout"}
    none = as_asked_by(gateway, VirtualKey("none", router_settings={"fallbacks": []}))
    assert {chain.trigger for chain in none.chains} == {Trigger.CONTEXT_WINDOW}
    same = as_asked_by(gateway, VirtualKey("plain"))
    assert (same.chains, same.settings) == (gateway.chains, gateway.settings)
