"""Each set-up breaks one thing, and the gateway's configuration allows no more than it must."""

from typing import Any

import yaml

from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.setups import CLOUD_GROUPS, LOCAL_GROUP, SETUPS, gateway_config

BASES = {name: f"http://127.0.0.1:1/{name}" for name in ("anthropic", "openai", "gemini")}


def config(*, fallbacks: bool = True) -> dict[str, Any]:
    """Write a configuration with made-up addresses."""
    return gateway_config(
        provider_bases=BASES, engine_base="http://127.0.0.1:2/v1", fallbacks=fallbacks
    )


def test_the_set_ups_are_those_of_the_contract():
    """``understudy lab --setup`` knows nine set-ups."""
    assert list(SETUPS) == [
        "healthy",
        "no_fallbacks",
        "no_tool_flags",
        "wrong_parser",
        "no_reasoning_parser",
        "renamed",
        "short_context",
        "hung",
        "down",
    ]


def test_no_two_set_ups_are_the_same():
    """Every set-up differs from every other in the engine or the fallbacks."""
    assert len({(setup.engine, setup.fallbacks) for setup in SETUPS.values()}) == len(SETUPS)


def test_there_are_eight_groups():
    """Seven cloud groups and one local one."""
    names = [deployment["model_name"] for deployment in config()["model_list"]]
    assert names == [*(group.name for group in CLOUD_GROUPS), LOCAL_GROUP]
    assert len(names) == 8


def test_every_cloud_group_falls_back_to_the_local_one():
    """With fallbacks no cloud group stands alone; without, all do."""
    chains = config()["router_settings"]["fallbacks"]
    assert chains == [{group.name: ["gemma"]} for group in CLOUD_GROUPS]
    assert "fallbacks" not in config(fallbacks=False)["router_settings"]


def test_every_deployment_may_be_redirected_and_points_to_the_lab():
    """The permission is on every deployment, and no deployment leads out of the machine."""
    for deployment in config()["model_list"]:
        parameters = deployment["litellm_params"]
        assert parameters["configurable_clientside_auth_params"] == [
            {"api_base": redirect_permission()}
        ]
        assert parameters["api_base"].startswith("http://127.0.0.1:")


def test_the_configuration_is_plain_data():
    """It can be written as YAML and read back as it was."""
    assert yaml.safe_load(yaml.safe_dump(config())) == config()
