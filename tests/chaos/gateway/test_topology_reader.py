"""What a gateway says becomes a topology; null is unknown, never no."""

import pytest

from chaos.gateway.topology import Trigger
from chaos.gateway.topology_reader import GatewayAnswers, is_local, read_deployment, read_topology
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


def test_a_deployment_knows_its_dialect_model_and_address():
    """What crosses the wire, and where it goes if nobody redirects it."""
    (deployment,) = real().groups["anthropic"].deployments
    assert (deployment.dialect, deployment.upstream_model) == ("anthropic", "claude-sonnet-4-5")
    assert deployment.base_url == "https://api.anthropic.com"
    assert deployment.redirect_permission is not None
    assert deployment.max_input_tokens == 200_000
    assert deployment.supports_tools is True


def test_null_is_unknown():
    """LiteLLM knows nothing of a local model; that is not a no."""
    bare = read_deployment(row(model="hosted_vllm/x"), {}, {})
    assert bare.supports_tools is None
    assert bare.input_cost_per_token is None
    assert bare.redirect_permission is None


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:8000", True),
        ("http://192.168.1.7:8000/v1", True),
        ("http://[::1]:8000", True),
        ("http://host.docker.internal:8000/v1", True),
        ("http://vllm:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8/v1", False),
        (None, False),
    ],
)
def test_what_is_of_this_house_is_local(url, local):
    """Loopback, private and named engines cost nothing; everything else may."""
    assert is_local(url, {"gemma": "http://vllm:8000"}) is local


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
    made = read_deployment(row(configurable_clientside_auth_params=params), {}, {})
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


def test_every_model_of_a_wildcard_can_be_asked_for():
    """Only one of them is a group of the topology; the others are its other names."""
    topology = real()
    listed = {
        r["model_name"] for r in recorded("model_info")["data"] if r["model_name"][:5] == "wild/"
    }
    assert listed
    assert all(topology.find(name) is not None for name in listed)


@pytest.mark.parametrize(("told", "number"), [(5, 5), ("5", 5), (0, 0), (None, None), ("x", None)])
def test_a_deployment_may_have_retries_of_its_own(told, number):
    """LiteLLM takes them from an environment variable too, as text."""
    assert read_deployment(row(num_retries=told), {}, {}).num_retries == number


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
