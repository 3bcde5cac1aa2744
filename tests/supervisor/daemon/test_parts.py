"""The parts that are watched are those that the settings and the gateway name."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chaos.gateway.client import open_gateway
from chaos.http_client import open_session
from supervisor.daemon.parts import Parts, engine_urls, to_know
from supervisor.probes.kinds.heartbeat import Beats
from supervisor.probes.probe import Part, PartKind, ProbeReading, State
from supervisor.settings.file import parse_settings
from supervisor.settings.model import Settings
from tests.fakes.manual_clock import NOON, ManualClock
from tests.fakes.topologies import group, topology

LOCAL = group("gemma", litellm_model="hosted_vllm/g", base_url="http://127.0.0.1:8000/v1")
TOPOLOGY = topology({"claude": ["gemma"], "gemma": []}, groups={"gemma": LOCAL})


def settings(text: str = "") -> Settings:
    """Read a configuration."""
    return parse_settings(text, name="understudy.yaml")


@pytest.fixture
async def parts(tmp_path: Path):
    """Parts of a daemon that has heard of one heartbeat."""

    async def beats():
        return {"backup": Beats("backup", NOON, NOON, 3)}

    async with open_session() as session:
        yield Parts(session, ManualClock(), tmp_path, beats)


def named(parts: Parts, text: str = "", known=TOPOLOGY) -> list[str]:
    """List what is watched, besides the gateway."""
    return [str(probe.part) for probe in parts.others(settings(text), known)]


def test_the_gateway_s_local_engines_are_watched(parts):
    """And those that the settings name, before the gateway was read too."""
    assert named(parts) == ["host", "engine gemma"]
    assert named(parts, known=None) == ["host"]
    assert named(parts, "engines: {qwen: 'http://127.0.0.1:8001'}", None) == [
        "host",
        "engine qwen",
    ]


def test_a_proxy_on_this_machine_is_no_engine(parts):
    """What is local, of a service's provider and nobody's fallback is somebody else's proxy."""
    proxy = group("claude", litellm_model="anthropic/c", base_url="http://127.0.0.1:9/", local=True)
    own = group("qwen", litellm_model="hosted_vllm/q", base_url="http://127.0.0.1:8001/v1")
    known = topology(
        {"claude": ["gemma"], "qwen": []}, groups={"claude": proxy, "gemma": LOCAL, "qwen": own}
    )
    assert named(parts, known=known) == ["host", "engine gemma", "engine qwen"]


def test_docker_is_asked_only_where_that_is_asked_for(parts, monkeypatch):
    """A container that is named for its log is no permission to watch it."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    engine = "engines: {gemma: {url: 'http://127.0.0.1:8000', container: vllm}}"
    assert "container gemma" not in named(parts, engine)
    assert "container gemma" in named(parts, f"{engine}\nwatch: {{docker: true}}")


def test_a_container_s_probe_goes_on_over_a_reload(parts, monkeypatch):
    """It knows how the container stood at the look before; a renamed one begins anew."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    def probe(name: str):
        text = f"engines: {{gemma: {{url: 'http://127.0.0.1:8000', container: {name}}}}}"
        found = parts.others(settings(f"{text}\nwatch: {{docker: true}}"), TOPOLOGY)
        return next(one for one in found if one.part.kind is PartKind.CONTAINER)

    first = probe("vllm")
    assert probe("vllm") is first
    assert probe("other") is not first


def test_heartbeats_are_watched_where_nothing_else_is(parts):
    """They cost nothing and look at nobody."""
    text = "heartbeats: {backup: {period: 1h}}\nwatch: {enabled: false}"
    assert named(parts, text) == ["heartbeat backup"]


async def test_a_heartbeat_is_judged_by_what_the_store_has(parts):
    """One that the store has not heard of yet is new."""
    text = "heartbeats: {backup: {period: 1h}, eval: {period: 1h}}\nwatch: {enabled: false}"
    backup, fresh = parts.others(settings(text), None)
    assert (await backup.probe(NOON)).state is State.UP
    assert (await fresh.probe(NOON)).state is State.UNKNOWN


def test_an_engine_is_asked_for_the_names_that_the_gateway_asks_for(parts):
    """What LiteLLM sends over the wire, not what clients ask LiteLLM for."""
    (engine,) = [one for one in parts.others(settings(), TOPOLOGY) if one.part.name == "gemma"]
    assert engine.target.asked_for == ("g",)


def test_the_settings_pace_every_look(parts):
    """How often, and how many looks in a row must agree."""
    text = "watch: {every: 5s, confirm: 3, recover: 4}"
    for probe in parts.others(settings(text), TOPOLOGY):
        cadence = probe.cadence
        assert cadence.every == timedelta(seconds=5)
        assert (cadence.failing, cadence.recovering) == (3, 4)


async def test_users_fallbacks_are_remembered_over_a_reload_and_not_over_another_key(parts):
    """What is known of fallbacks belongs to the key that sends drills."""
    async with open_gateway("http://127.0.0.1:9", key="sk-1", admin_key="sk-1") as gateway:
        first = parts.gateway(gateway, settings())._traffic
        again = parts.gateway(gateway, settings("watch: {fallback_quiet: 1m}"))._traffic
        assert again is first
        assert again.quiet == timedelta(minutes=1)
        gateway.key = "sk-2"
        assert parts.gateway(gateway, settings())._traffic is not first


def test_addresses_of_the_settings_win(parts):
    """Where the gateway runs in a container, its own address of an engine is not ours."""
    text = "engines: {gemma: 'http://192.0.2.1:8000'}"
    assert engine_urls(settings(text), TOPOLOGY) == {"gemma": "http://192.0.2.1:8000"}


def test_what_a_probe_must_know_after_a_restart_is_recalled(parts):
    """An engine is compared with what it was, a container with the image that it had."""
    reading = ProbeReading(Part(PartKind.ENGINE, "gemma"), State.UP, "", facts={"was": {"a": 1}})
    assert to_know(reading, None) == {"a": 1}
    # A look that could not tell has learnt nothing, and forgets nothing.
    assert to_know(replace(reading, facts={}), {"b": 2}) == {"b": 2}
