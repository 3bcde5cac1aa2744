"""What is to be written is right for what is written already."""

import pytest
import yaml

from chaos.gateway.topology import RouterSettings
from supervisor.audit.advice import chain_advice, setting_advice, stand_in, stand_ins
from tests.fakes.audit_findings import audited
from tests.fakes.topologies import group

GROUPS: dict[str, list[str]] = {"claude": [], "local-a": [], "local-b": [], "gpt": []}


def test_a_stand_in_is_local_and_neither_the_group_nor_a_hop_of_it():
    """A chain that ends at itself ends nowhere."""
    seen = audited(GROUPS, changes={"aliases": {"best": "local-a"}})
    assert stand_ins(seen, "claude") == ["local-a", "local-b"]
    assert stand_ins(seen, "local-a") == stand_ins(seen, "best") == ["local-b"]
    assert stand_in(seen, "claude", without=["local-a", "local-b"]) == "YOUR-LOCAL-GROUP"


def test_a_stand_in_answers_the_same_kind_of_request():
    """A group without a mode chats."""
    for mode, found in (("chat", ["local-a", "local-b"]), ("embedding", ["local-e"])):
        engine = group("local-e", litellm_model="hosted_vllm/e", mode="embedding")
        seen = audited(GROUPS, groups={"claude": group("claude", mode=mode), "local-e": engine})
        assert stand_ins(seen, "claude") == found


@pytest.mark.parametrize(
    ("settings", "config", "begins", "section"),
    [
        ({}, None, "Write into", "router_settings"),
        ({"fallbacks": ({"x": ("y",)},)}, None, "Add to the list", "router_settings"),
        ({"fallbacks": ({"claude": ("y",)},)}, None, "Replace the entry", "router_settings"),
        (
            {"fallbacks": ({"x": ("y",)},)},
            {"litellm_settings": {"fallbacks": [{"x": ["y"]}]}},
            "Add to the list",
            "litellm_settings",
        ),
    ],
)
def test_the_lines_fit_what_is_there(settings, config, begins, section):
    """A second list, or a second entry of a group, would never be read."""
    seen = audited(GROUPS, settings=RouterSettings(**settings), config=config)
    advice = chain_advice(seen, "claude", ["local-a"])
    assert advice.text.startswith(begins)
    assert advice.config == {section: {"fallbacks": [{"claude": ["local-a"]}]}}


def test_the_lines_are_the_fragment():
    """What is shown is what is tried."""
    for advice in (
        chain_advice(audited(GROUPS), "claude", ["local-a"]),
        setting_advice("router_settings", "num_retries", 0),
        setting_advice("general_settings", "x", True),
    ):
        assert yaml.safe_load(advice.text.partition("\n")[2]) == advice.config


def test_what_names_a_group_that_is_not_there_is_no_fragment():
    """It has to be filled in first."""
    assert chain_advice(audited(GROUPS), "claude", ["YOUR-LOCAL-GROUP"]).config is None


def test_a_placeholder_is_none_even_where_a_wildcard_takes_every_name():
    """LiteLLM would route it, to a model that does not exist."""
    seen = audited({**GROUPS, "*": []}, changes={"wildcards": ("*",)})
    assert chain_advice(seen, "claude", ["YOUR-LOCAL-GROUP"]).config is None
    assert chain_advice(seen, "claude", ["any-model"]).config is not None
