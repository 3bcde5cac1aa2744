"""What ``init`` writes is right from the start."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from chaos.gateway.topology import ModelGroup, Topology
from supervisor.settings.file import parse_settings
from supervisor.settings.model import Settings
from supervisor.setup.first_config import MOST_LINES, first_config, litellm_lines
from supervisor.setup.placement import Place, Surroundings, placement
from tests.fakes.topologies import PERMISSION, deployment, group, topology

URL = "http://127.0.0.1:4000"
KNOWN = Settings.model_validate({"gateway": {"url": URL, "key": {"env": "LITELLM_KEY"}}})
GATEWAY = topology({"claude": ["local-gemma"], "local-gemma": []})

WILDCARD = {"openai/*": "openai/gpt"}


def placed(place=Place.HOST):
    """Where the witness stands."""
    return placement(place, URL, Surroundings(), 8941)


def written(settings=KNOWN, gateway=GATEWAY, place=Place.HOST, own=None):
    """The file, and what it means."""
    text = first_config(
        settings,
        gateway,
        placed(place),
        today=date(2026, 1, 31),
        litellm_config=own,
    )
    return text, parse_settings(text, name="written")


@pytest.mark.parametrize("place", list(Place))
def test_the_file_is_valid_and_says_what_is_known(place):
    """Gateway, key, witness and engines are read back as they were."""
    _, settings = written(place=place)
    assert settings.gateway == KNOWN.gateway
    assert (settings.witness.listen, settings.witness.url) == (
        placed(place).listen,
        placed(place).url,
    )
    assert settings.engine_urls == {"local-gemma": "http://127.0.0.1:8000"}


def test_what_is_commented_out_is_valid_too():
    """A person only has to remove the marks."""
    odd = {"odd": ModelGroup("odd", (deployment("odd", base_url=None, provider="odd"),))}
    text, _ = written(gateway=topology({"odd": []}, odd, standing=WILDCARD))
    lines = [line for line in text.splitlines() if not line.startswith("#   odd:")]
    opened = [
        line.removeprefix("# ")
        for line in lines
        if line.startswith(("#   ", *(f"# {name}:" for name in Settings.model_fields)))
    ]
    meant = yaml.safe_load("\n".join(opened))
    meant["providers"] = dict.fromkeys(meant["providers"], "https://odd.example")
    settings = Settings.model_validate(meant)
    assert list(settings.providers) == ["odd"]
    assert settings.wildcards == WILDCARD
    assert settings.accept[0].until == date(2026, 3, 2)
    assert settings.twin.litellm_config is not None


def test_every_group_is_listed_with_its_chain():
    """A wildcard under the name that people wrote."""
    gateway = topology({"claude": ["local-gemma"], "openai/gpt": []}, standing=WILDCARD)
    text, _ = written(gateway=gateway)
    assert "#   claude: anthropic/claude, paid, falls back to local-gemma\n" in text
    assert "#   local-gemma: hosted_vllm/local-gemma, local\n" in text
    assert "#   openai/*: " in text
    assert "providers:" not in text


def test_names_that_others_chose_stay_in_their_comments_and_quotes():
    """A group's name must not become configuration."""
    name = 'x"\ndrills: {budget_usd: 1000}\n#'
    local = deployment(name, litellm_model="hosted_vllm/y")
    gateway = Topology("1\ndrills: 7", {name: ModelGroup(name, (local,))}, ())
    _, settings = written(gateway=gateway)
    assert settings.drills.budget_usd == 0.0
    assert list(settings.engines) == [name]


def test_an_empty_gateway_and_an_admin_key_are_written_too():
    """Keys by where they are, never as they are."""
    gateway = {"url": URL, "key": {"file": "/run/key"}, "admin_key": {"env": "ADMIN"}}
    known = Settings.model_validate({"gateway": gateway})
    text, settings = written(known, Topology("", {}, ()))
    assert settings.gateway == known.gateway
    assert "no model groups" in text


def test_litellms_lines_are_exact_and_say_where_they_are_missing():
    """The permission is escaped for the address at hand."""
    lines = litellm_lines(GATEWAY, placed())
    assert r'[{api_base: "^http://127\\.0\\.0\\.1:8941/lane/[0-3]\\Z"}]' in lines
    (line,) = [line for line in lines.splitlines() if "configurable" in line]
    assert yaml.safe_load(line) == {
        "configurable_clientside_auth_params": [{"api_base": PERMISSION}]
    }
    assert lines.startswith("Every deployment in LiteLLM's configuration has it already:\n")
    assert "restart" not in lines  # where nothing has to be written

    bridge = litellm_lines(GATEWAY, placed(Place.BRIDGE))
    assert r"^http://host\\.docker\\.internal:8941/lane/[0-3]\\Z" in bridge
    assert "It is missing on: claude, local-gemma" in bridge
    assert bridge.startswith("Write into litellm_params of every deployment")
    assert 'extra_hosts: ["host.docker.internal:host-gateway"]' in bridge


def test_hundreds_of_groups_are_a_summary_on_the_screen_and_in_the_file():
    """Those that are alike stand together; where each is to be found is said."""
    groups = {f"team-{n:03}": group(f"team-{n:03}", redirect_permission=None) for n in range(300)}
    many = Topology("1.106.2", groups, ())
    lines = litellm_lines(many, placed())
    assert "It is missing on all 300 model groups: team-000, team-001, " in lines
    assert "team-011 and 288 more.\nEvery one of them: understudy doctor --format json" in lines
    text, _ = written(Settings.model_validate({}), many)
    assert "#   team-000, " in text
    assert " team-011 and 288 more: " in text
    assert len(text.splitlines()) < 80
    assert max(map(len, text.splitlines())) < 250


def test_hundreds_of_groups_that_are_all_different_are_cut():
    """The file is there to be read."""
    groups = {}
    for n in range(MOST_LINES + 7):
        one = group(f"g{n}")
        (only,) = one.deployments
        groups[f"g{n}"] = replace(one, deployments=(replace(only, litellm_model=f"openai/m{n}"),))
    text, _ = written(Settings.model_validate({}), Topology("", groups, ()))
    assert text.count("#   g") == MOST_LINES
    assert "\n#   and 7 more\n" in text


@pytest.mark.parametrize(("version", "injector"), [("1.82.6", "twin"), ("1.106.2", "auto")])
def test_the_file_that_sparkrun_s_proxy_runs_with_is_proposed_for_a_twin(version, injector):
    """In the gateway's own version; and only a twin, where that version cannot be redirected."""
    gateway = replace(GATEWAY, litellm_version=version)
    _, settings = written(gateway=gateway, own=Path("/home/me/litellm_config.yaml"))
    assert settings.twin.litellm_config == Path("/home/me/litellm_config.yaml")
    assert settings.twin.litellm_version == version
    assert settings.drills.injector == injector
