"""Fallbacks that LiteLLM does not read are found in its file."""

import pytest

from supervisor.audit.rules.fallbacks_in_wrong_section import fallbacks_in_wrong_section
from tests.fakes.audit_findings import audited, brief

LIST = [{"claude": ["local"]}]


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"general_settings": {"fallbacks": LIST}}, "general_settings.fallbacks"),
        ({"fallbacks": LIST}, "fallbacks"),
        ({"router_settings": {"fallback": LIST}}, "router_settings.fallback"),
        (
            {"router_settings": {"context_policy_fallbacks": LIST}},
            "router_settings.context_policy_fallbacks",
        ),
        (
            {"router_settings": {"fallbacks": LIST}, "litellm_settings": {"fallbacks": LIST}},
            "litellm_settings.fallbacks",
        ),
    ],
)
def test_a_list_that_is_not_read_is_an_error(config, place):
    """LiteLLM says nothing of it, and its writer believes that it holds."""
    found = brief(fallbacks_in_wrong_section(audited({"claude": []}, config=config)))
    assert found == [("fallbacks_in_wrong_section", "error", place)]


@pytest.mark.parametrize(
    "config",
    [
        None,
        {"router_settings": {"fallbacks": LIST, "max_fallbacks": 9}},
        {"litellm_settings": {"default_fallbacks": ["local"]}},
        {"router_settings": None},
        {"general_settings": {"master_key": "sk-x"}},
    ],
)
def test_lists_where_they_belong_are_well(config):
    """Both sections are read, and other settings with such a name are none of ours."""
    assert brief(fallbacks_in_wrong_section(audited({"claude": []}, config=config))) == []
