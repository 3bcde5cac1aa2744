"""Everything that audits look at is asked of a gateway and its engines, and no model is."""

import json

from chaos.gateway.client import open_gateway
from chaos.gateway.redirect_permission import lane_urls
from chaos.gateway.topology import Topology
from supervisor.audit.facts import gather, shown_groups
from supervisor.settings.model import Settings
from tests.fakes.http_server import answering, as_json, litellm_answers
from tests.fakes.topologies import group


async def gathered(answers, settings=None, config=None):
    """Ask a gateway that answers so."""
    with answering(answers) as url:
        async with open_gateway(url, key="sk-key", admin_key="sk-key") as gateway:
            return await gather(gateway, settings or Settings(), config)


async def test_a_gateway_is_gathered_with_lanes_cache_and_open_groups():
    """What /model/info shows as asterisks is told by /model_group/info."""
    seen = await gathered(
        {
            **litellm_answers(groups=("gpt", "open")),
            "/health/readiness/details": as_json({"litellm_version": "1.106.2", "cache": "redis"}),
            "/model_group/info": as_json(
                {
                    "data": [
                        {
                            "model_group": "open",
                            "configurable_clientside_auth_params": ["api_base"],
                        },
                        {"model_group": "gpt", "configurable_clientside_auth_params": None},
                        "odd",
                    ]
                }
            ),
        }
    )
    assert list(seen.topology.groups) == ["gpt", "open"]
    assert seen.topology.settings.caches is True
    assert seen.open_groups == {"open"}
    assert seen.witness_urls == lane_urls("http://127.0.0.1:8941")
    assert seen.witness_urls[-1] == "http://127.0.0.1:8941/lane/3"


async def test_the_clients_of_each_group_are_those_of_the_settings():
    """Named for all, for a pattern, or as the profile of a group."""
    settings = Settings.model_validate(
        {"rehearse": {"groups": {"gpt": {"clients": ["codex"], "profile": "hermes"}}}}
    )
    audited = await gathered(litellm_answers(groups=("gpt", "open")), settings)
    assert audited.clients == {"gpt": ("codex", "hermes")}


async def test_what_the_gateway_does_not_tell_is_unknown():
    """No cache told is not no cache."""
    seen = await gathered(litellm_answers())
    assert seen.topology.settings.caches is None
    assert (seen.open_groups, seen.config, seen.engines) == (frozenset(), None, ())


async def test_engines_are_asked_where_the_user_says(tmp_path):
    """The gateway's address may be one inside a container."""
    file = tmp_path / "litellm.yaml"
    file.write_text("model_list: []\n")
    with answering({"/v1/models": as_json({"data": [{"id": "gpt"}]})}) as engine:
        settings = Settings.model_validate(
            {"engines": {"gpt": engine, "no-such-group": "http://127.0.0.1:1"}}
        )
        seen = await gathered(litellm_answers(groups=("gpt", "paid")), settings, file)
    (said,) = seen.engines
    assert (said.group, said.names, said.asked_for) == ("gpt", ("gpt",), ("gpt",))
    assert seen.named == {"gpt", "no-such-group"}
    assert seen.config == {"model_list": []}


async def test_an_engine_is_looked_into_where_the_settings_say(tmp_path, monkeypatch):
    """Its log adds what its metrics do not tell; a key that cannot be read is a note."""
    log = tmp_path / "vllm.log"
    log.write_text(
        "INFO non-default args: {'model': 'm'}\n"
        "INFO Model loading took 15.73 GiB memory and 91.3 seconds\n"
    )
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    answers = {
        "/v1/models": as_json({"data": [{"id": "gpt", "root": "g/gemma-4", "max_model_len": 99}]}),
        "/metrics": (
            200,
            "text/plain",
            b'vllm:cache_config_info{kv_cache_size_tokens="1000"} 1.0',
        ),
    }
    with answering(answers) as engine:
        told = {"url": engine, "log": str(log), "key": {"env": "NO_SUCH_KEY"}}
        settings = Settings.model_validate({"engines": {"gpt": told}})
        seen = await gathered(litellm_answers(), settings)
    (said,) = seen.engines
    capacity = said.capacity
    assert (capacity.weights_gib, capacity.kv_cache_tokens, capacity.max_model_len) == (
        15.73,
        1000,
        99,
    )
    assert said.root == "g/gemma-4"
    assert said.inside is not None
    assert "NO_SUCH_KEY" in said.inside.notes[0].message


async def test_a_wildcard_is_audited_by_the_model_that_stands_for_it():
    """LiteLLM lists it as every model that it knows."""
    rows = [
        {"model_name": name, "litellm_params": {"model": name}, "model_info": {"id": "one"}}
        for name in ("openai/o3", "openai/gpt-1")
    ]
    seen = await gathered({**litellm_answers(), "/model/info": as_json({"data": rows})})
    assert seen.wildcards == {"openai/*": "openai/gpt-1"}


def test_groups_are_shown_under_the_names_that_people_wrote():
    """Nobody wrote down the model that stands for a wildcard."""
    groups = {name: group(name) for name in ("openai/gpt-2", "claude")}
    known = Topology("1.106.2", groups, (), standing={"openai/*": "openai/gpt-2"})
    shown = shown_groups(known)
    assert json.dumps(list(shown)) == '["openai/*", "claude"]'
