"""What a gateway says becomes a topology; null is unknown, never no."""

import json
from pathlib import Path

import pytest

from chaos.gateway_reading import GatewayAnswers, is_local, read_deployment, read_topology
from chaos.topology import Trigger

RECORDED = Path(__file__).parents[1] / "data" / "recorded" / "gateway"


def recorded(name):
    """The body of a recorded answer of the real LiteLLM."""
    body = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["body"]
    return json.loads(body) if isinstance(body, str) else body


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
