"""What a virtual key changes, as the gateway tells it."""

import json
from datetime import UTC, datetime

import pytest

from chaos.gateway.virtual_key import hash_of, name_of, read_virtual_key, team_of

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEY = "sk-secret-of-a-team-9z8y"
OWN = {"fallbacks": [{"claude": ["gemma"]}], "allowed_fails": 3, "num_retries": None}


def read(info, team=None, models=None):
    """Read a key of these rows."""
    return read_virtual_key(KEY, info, team or {}, models, NOON)


def test_a_key_is_named_by_its_alias_or_how_it_ends():
    """Never by the key, nor by what LiteLLM knows it by."""
    assert read({"key_alias": "team-a"}).name == "team-a"
    assert read({"key_alias": None}).name == name_of(KEY, "") == "…9z8y"
    assert KEY not in repr(read({}))
    assert hash_of("sk-1234") == (
        "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
    )


def test_only_what_counts_for_each_request_is_taken():
    """The rest of a key's router settings LiteLLM does not look at."""
    assert read({"router_settings": OWN}).router_settings == {"fallbacks": OWN["fallbacks"]}
    as_text = read({"router_settings": json.dumps(OWN)})
    assert as_text.router_settings == {"fallbacks": OWN["fallbacks"]}
    broken: tuple[object, ...] = ("{", "[" * 100_000, 7, [], None)
    for nonsense in broken:
        assert read({"router_settings": nonsense}).router_settings == {}


def test_the_team_counts_where_the_key_has_nothing():
    """LiteLLM takes one of the two, whole."""
    team = {"router_settings": {"fallbacks": [{"claude": ["team"]}], "timeout": 3}}
    found = read({"router_settings": {}}, team)
    assert (found.settings_of, found.router_settings["timeout"]) == ("its team", 3)
    own = read({"router_settings": OWN}, team)
    assert (own.settings_of, own.router_settings) == ("the key", {"fallbacks": OWN["fallbacks"]})
    assert (team_of({"team_id": "t1"}), team_of({"team_id": None})) == ("t1", None)


def test_what_a_key_cannot_ask_for_has_a_reason():
    """Its access, or another group in the place of the name."""
    info = {
        "key_alias": "a",
        "aliases": {"fast": "gemma"},
        "router_settings": {"model_group_alias": {"smart": {"model": "claude"}}},
    }
    key = read(info, models=frozenset({"claude", "fast", "smart"}))
    assert key.closed("claude") is None
    assert key.closed("gpt") == "the key a may not ask for it"
    assert key.closed("fast") == "the key a gets gemma for it"
    assert key.closed("smart") == "the key a gets claude for it"
    assert read({}).may_ask("anything")


@pytest.mark.parametrize(
    ("info", "team", "why"),
    [
        ({}, {}, None),
        ({"max_budget": None, "spend": 9.0, "expires": None, "blocked": None}, {}, None),
        ({"max_budget": 2.0, "spend": 1.0, "expires": "2026-12-02T00:00:00Z"}, {}, None),
        ({"max_budget": 1.0, "spend": 1.0}, {}, "it is over its budget: 1.00 of 1.00 USD"),
        ({"expires": "2026-11-30T00:00:00"}, {}, "it expired on 2026-11-30"),
        ({"expires": "some day"}, {}, None),
        ({"blocked": True}, {}, "it is blocked"),
        ({}, {"blocked": True}, "its team is blocked"),
        ({}, {"max_budget": 1, "spend": 2}, "its team is over its budget"),
    ],
)
def test_a_key_that_the_gateway_refuses_is_known_before(info, team, why):
    """Null means unknown, never no."""
    found = read(info, team).unusable
    assert found is None if why is None else found is not None and found.startswith(why)
