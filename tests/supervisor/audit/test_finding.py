"""What audits ask about a gateway before they judge it."""

import pytest
import yaml

from supervisor.audit.finding import is_engine, is_own, quoted, yaml_list, yaml_name, yaml_value
from tests.fakes.audit_findings import audited
from tests.fakes.topologies import deployment, group


@pytest.mark.parametrize(
    ("changes", "own", "engine"),
    [
        ({"litellm_model": "hosted_vllm/gemma"}, True, True),
        ({}, False, False),
        ({"base_url": None}, False, False),
        ({"base_url": "http://anthropic-proxy:8080"}, True, False),
        ({"base_url": "http://box.lan:8000", "dialect": "openai"}, True, True),
        ({"local": True, "dialect": "openai", "output_cost_per_token": 1e-6}, False, False),
        ({"local": True, "dialect": None, "input_cost_per_token": 0.0}, True, True),
    ],
)
def test_what_is_ours_is_told_by_address_and_price(changes, own, engine):
    """A price means that somebody else is paid in the end."""
    made = deployment("some", **changes)
    assert (is_own(made), is_engine(made)) == (own, engine)


def test_a_group_costs_nothing_if_no_deployment_does():
    """What does not exist cannot be free."""
    seen = audited({"claude": ["local"]}, groups={"gpt": group("gpt")}, named=frozenset({"gpt"}))
    assert [seen.costs_nothing(name) for name in ("local", "gpt", "claude", "nosuch")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_keys_of_litellms_file_are_not_in_its_representation():
    """A log or a traceback may show what is audited."""
    seen = audited({}, config={"model_list": [{"litellm_params": {"api_key": "sk-secret"}}]})
    assert "sk-secret" not in repr(seen)


@pytest.mark.parametrize("config", [None, {}, {"a": None}, {"a": [1]}])
def test_a_section_that_is_none_is_empty(config):
    """LiteLLM's file is somebody else's; anything may be in it."""
    assert audited({}, config=config).section("a") == {}


def test_names_are_written_so_that_yaml_reads_them():
    """Group names hold colons, quotes and slashes."""
    names = ["a: b", 'c"d', "e/*", "ü"]
    assert yaml.safe_load(yaml_list(names)) == names
    assert yaml.safe_load(yaml_name(names[0])) == names[0]
    assert quoted(["a", "b"]) == "'a', 'b'"


@pytest.mark.parametrize(
    "text", ["vllm/a", "openai/gemma3:4b", "yes", "a: b", "1", "x #y", "-", ""]
)
def test_a_value_is_read_back_as_it_was(text):
    """With quotes where YAML would take it for something else."""
    assert yaml.safe_load(f"key: {yaml_value(text)}") == {"key": text}
