"""A circle of fallbacks ends by itself, and may answer nothing."""

from typing import Any

import pytest

from chaos.gateway.topology import RouterSettings
from supervisor.audit.rules.chain_cycle import chain_cycle
from tests.fakes.audit_findings import audited, brief

CHAINS: dict[str, list[str]] = {"a": [], "b": [], "local": []}


def found(*entries, setting="fallbacks", aliases=None):
    """What is wrong with these entries of a list."""
    values: Any = {setting: entries}
    settings = RouterSettings(**values)
    return list(chain_cycle(audited(CHAINS, settings=settings, changes={"aliases": aliases or {}})))


@pytest.mark.parametrize(
    "setting", ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"]
)
def test_a_group_that_names_only_itself_has_no_fallback(setting):
    """LiteLLM skips what has failed."""
    (finding,) = found({"a": ("a",)}, setting=setting)
    assert brief([finding]) == [("chain_cycle", "warning", "a")]
    assert finding.config == {"router_settings": {setting: [{"a": ["local"]}]}}
    assert finding.remedy.startswith("Replace the entry")


def test_a_group_that_names_itself_among_others_is_well():
    """It is skipped, and the others are asked."""
    assert found({"a": ("a", "b")}) == []


def test_an_alias_of_the_group_is_the_group():
    """It has another name and the same deployments."""
    aliases = {"best": "a"}
    for entry, subject in (({"a": ("best",)}, "a"), ({"best": ("a",)}, "best")):
        assert brief(found(entry, aliases=aliases)) == [("chain_cycle", "warning", subject)]


def test_two_groups_of_each_other_are_one_note():
    """Both orders are one pair; LiteLLM asks each once."""
    (finding,) = found({"b": ("a", "local")}, {"a": ("b",)})
    assert brief([finding]) == [("chain_cycle", "info", "a")]
    assert finding.groups == ("a", "b")
    assert "asks each once" in finding.message
    assert brief(found({"a": ("b",)}, {"b": ("local",)})) == []


def test_an_entry_that_is_never_read_makes_no_circle():
    """Only the first of a group counts."""
    assert found({"a": ("b",)}, {"a": ("a",)}) == []
