"""The order of LiteLLM's fallbacks, against configurations that were run through its proxy."""

from pathlib import Path

import pytest
import yaml

from chaos.gateway.chain_order import attempt_order, chain_of

ROWS = yaml.safe_load((Path(__file__).parents[2] / "data" / "chain_table.yaml").read_text("utf-8"))
PLAIN = [
    row
    for row in ROWS
    if row["trigger"] == "general"
    and not row.get("trigger_of")
    and not row.get("body_fallbacks")
    and not str(row["name"]).startswith("body_")
]


def settings_of(row, name):
    """A setting of *row*; that of the router wins whole."""
    router, litellm = row.get("router_settings") or {}, row.get("litellm_settings") or {}
    return router.get(name, litellm.get(name))


def loaded(row):
    """The general list as LiteLLM has loaded it: the default is its last entry."""
    default = settings_of(row, "default_fallbacks")
    stars = [{"*": default}] if default is not None else []
    return [*(settings_of(row, "fallbacks") or []), *stars]


def named(targets):
    """The groups of targets, which may be objects."""
    return tuple(t if isinstance(t, str) else t["model"] for t in targets)


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row["name"])
def test_the_order_is_what_the_proxy_showed(row):
    """Depth first, no repeats by name, siblings counted: as measured, not as documented."""
    most = (row.get("router_settings") or {}).get("max_fallbacks", 5)
    order = attempt_order(row["request"], loaded(row), max_fallbacks=most)
    assert order == named(row["attempt_order"])


def test_the_table_is_not_empty():
    """A filter that lets nothing through would make the test above pass for ever."""
    assert len(PLAIN) > 25


def test_a_cycle_ends():
    """LiteLLM tries nothing twice by name."""
    assert attempt_order("a", [{"a": ["b"]}, {"b": ["a"]}]) == ("a", "b")


def test_a_chain_under_its_bare_name_is_found_for_a_name_with_provider():
    """``openai/p`` is looked up as ``p`` too."""
    assert chain_of([{"p": ["x"]}], ["openai/p"]) == ["x"]


def test_no_list_is_no_chain():
    """A gateway without fallbacks tries the group itself."""
    assert attempt_order("a", None) == ("a",)


@pytest.mark.parametrize("fallbacks", [[{}], [{"a": None}], [{"*": None}], [{}, {"a": []}]])
def test_an_empty_entry_is_no_chain(fallbacks):
    """People leave a dash behind; reading their gateway must not fail on it."""
    assert attempt_order("a", fallbacks) == ("a",)
