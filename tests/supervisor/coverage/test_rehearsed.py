"""Which paths a gateway has, and which faults take turns on each."""

from dataclasses import replace
from datetime import timedelta

from chaos.faults.kinds import FAULTS
from chaos.gateway.topology import Trigger
from chaos.scenario.expectation import Expectation, Expected
from supervisor.coverage.rehearsed import fingerprint, rehearsed_paths, scenarios_of
from supervisor.settings.rehearse import RehearseSettings
from tests.fakes.ledgers import path
from tests.fakes.topologies import group, topology

GATEWAY = topology({"claude": ["local"], "gpt": ["local"]})
CHAT = RehearseSettings(shapes=("chat",), streaming="whole")


def test_the_default_is_chat_and_tool_calls_streamed_and_whole():
    """On chat completions, for every group that has a fallback, at every depth and trigger."""
    paths = rehearsed_paths(GATEWAY, RehearseSettings())
    assert {p.shape for p in paths} == {"chat", "tool_call"}
    assert {p.stream for p in paths} == {True, False}
    assert {p.surface for p in paths} == {"chat_completions"}
    assert {p.hop for p in paths} == {"local", "none"}
    assert {p.group for p in paths} == {"claude", "gpt"}
    assert {p.trigger for p in paths} == {
        Trigger.GENERAL,
        Trigger.CONTEXT_WINDOW,
        Trigger.CONTENT_POLICY,
    }


def test_a_group_may_be_rehearsed_as_it_is_used():
    """What is set for one group says nothing about the others."""
    settings = RehearseSettings.model_validate(
        {
            "critical": ["cl*"],
            "groups": {
                "claude": {"surfaces": ["messages"], "shapes": ["agent"], "streaming": "streamed"}
            },
        }
    )
    paths = rehearsed_paths(GATEWAY, settings)
    claude = {p: w for p, w in paths.items() if p.group == "claude"}
    assert {(p.surface, p.shape, p.stream) for p in claude} == {("messages", "agent", True)}
    assert {(w.critical, w.target_s) for w in claude.values()} == {(True, 3600.0)}
    gpt = {p: w for p, w in paths.items() if p.group == "gpt"}
    assert {(w.critical, w.target_s) for w in gpt.values()} == {(False, 86_400.0)}
    assert {p.shape for p in gpt} == {"chat", "tool_call"}


def test_a_group_may_be_left_out():
    """By name, or all of them."""
    without = RehearseSettings.model_validate({"groups": {"gpt": {"enabled": False}}})
    assert {p.group for p in rehearsed_paths(GATEWAY, without)} == {"claude"}
    assert rehearsed_paths(GATEWAY, RehearseSettings(enabled=False)) == {}


def test_every_fault_that_applies_takes_its_turn():
    """A path that is not streamed has no stream faults, and none that only a twin can have."""
    scenarios = scenarios_of(GATEWAY, CHAT, path("claude", "local"))
    assert "billing" in scenarios
    assert {"stream_cut", "tool_call_cut", "connection_refused"}.isdisjoint(scenarios)
    assert {s.path for s in scenarios.values()} == {path("claude", "local")}
    streamed = scenarios_of(GATEWAY, RehearseSettings(), path("claude", "local", stream=True))
    assert "stream_cut" in streamed
    assert set(streamed) < set(FAULTS)


def test_the_number_of_faults_is_that_of_the_turns():
    """It says how often a path is due, so that all of them fit into a week."""
    for one, wish in rehearsed_paths(GATEWAY, RehearseSettings()).items():
        assert wish.faults == len(scenarios_of(GATEWAY, RehearseSettings(), one))


def test_chosen_faults_are_the_only_ones():
    """Variants too."""
    settings = RehearseSettings(shapes=("chat",), faults=("billing", "rate_limit.retry_after_20"))
    scenarios = scenarios_of(GATEWAY, settings, path("claude", "local"))
    assert list(scenarios) == ["billing", "rate_limit.retry_after_20"]


def test_a_path_of_a_group_that_is_gone_has_no_scenarios():
    """It is retired when the gateway is read next."""
    assert scenarios_of(GATEWAY, CHAT, path("gone", "local")) == {}


def test_what_a_path_leads_over_is_in_its_fingerprint():
    """Another version, chain, deployment or router; not what belongs to others."""

    def of(gateway, name="claude"):
        return fingerprint(gateway, name, Trigger.GENERAL)

    same = of(GATEWAY)
    assert of(topology({"claude": ["local"], "gpt": []})) == same
    assert of(replace(GATEWAY, litellm_version="1.107.0")) != same
    assert of(topology({"claude": ["other", "local"]})) != same
    assert of(replace(GATEWAY, settings=replace(GATEWAY.settings, num_retries=3))) != same
    moved = replace(
        GATEWAY,
        groups={
            **GATEWAY.groups,
            "local": group(
                "local", litellm_model="hosted_vllm/local", base_url="http://127.0.0.1:9/v1"
            ),
        },
    )
    assert of(moved) != same


def test_a_name_that_does_not_resolve_just_now_is_no_change():
    """A resolver's bad minute must not have everything drilled anew."""
    (deployment,) = GATEWAY.groups["local"].deployments
    away = replace(GATEWAY.groups["local"], deployments=(replace(deployment, resolves=False),))
    gateway = replace(GATEWAY, groups={**GATEWAY.groups, "local": away})
    assert fingerprint(gateway, "claude", Trigger.GENERAL) == fingerprint(
        GATEWAY, "claude", Trigger.GENERAL
    )


def test_a_permission_for_drills_is_no_change():
    """It says nothing about what real requests lead over."""
    local = group("local", litellm_model="hosted_vllm/local", redirect_permission=None)
    gateway = replace(GATEWAY, groups={**GATEWAY.groups, "local": local})
    assert fingerprint(gateway, "claude", Trigger.GENERAL) == fingerprint(
        GATEWAY, "claude", Trigger.GENERAL
    )


def test_a_target_of_a_group_counts_more_than_critical():
    """The nearest setting wins."""
    settings = RehearseSettings.model_validate(
        {"groups": {"claude": {"critical": True, "target": "2h"}}}
    )
    assert settings.of("claude").target == timedelta(hours=2)
    assert settings.of("gpt").target == timedelta(hours=24)


def test_agents_are_rehearsed_as_the_clients_that_ask():
    """Once as each, on its own surface, in place of the agent shape; the rest stays."""
    settings = RehearseSettings.model_validate(
        {
            "clients": ["codex"],
            "shapes": ["chat", "agent"],
            "streaming": "whole",
            "groups": {"claude": {"clients": ["claude_code"], "profile": "hermes"}},
        }
    )
    paths = rehearsed_paths(GATEWAY, settings)
    asked = {(p.group, p.shape, p.surface) for p in paths}
    assert asked == {
        ("claude", "chat", "chat_completions"),
        ("claude", "agent.claude_code", "messages"),
        ("claude", "agent.hermes", "chat_completions"),
        ("gpt", "chat", "chat_completions"),
        ("gpt", "agent.codex", "responses"),
    }
    (one,) = [p for p in paths if (p.shape, p.hop, p.trigger) == CLAUDE_CODE_S]
    assert {s.shape for s in scenarios_of(GATEWAY, settings, one).values()} == {one.shape}


CLAUDE_CODE_S = ("agent.claude_code", "local", Trigger.GENERAL)


def test_clients_alone_leave_no_shape_of_everybody():
    """Where only agents ask, nothing else is drilled."""
    settings = RehearseSettings(shapes=("agent",), clients=("claude_code",))
    assert {p.shape for p in rehearsed_paths(GATEWAY, settings)} == {"agent.claude_code"}


def test_a_group_s_settings_may_name_it_by_its_wildcard():
    """The pattern that LiteLLM's configuration has fits the model that stands for it."""
    gateway = topology({"openai/gpt": ["local"]}, standing={"openai/*": "openai/gpt"})
    settings = RehearseSettings.model_validate({"groups": {"openai/*": {"shapes": ["agent"]}}})
    assert {p.shape for p in rehearsed_paths(gateway, settings)} == {"agent"}


def test_an_alias_has_the_paths_that_its_drills_are():
    """One where it shares its group's chain, all of them where it does not."""
    gateway = topology({"claude": ["local"], "same": ["local"], "other": []})
    names = {name: gateway.groups[name] for name in ("same", "other")}
    gateway = replace(
        gateway,
        groups={name: one for name, one in gateway.groups.items() if name not in names},
        other_names=names,
        aliases=dict.fromkeys(names, "claude"),
    )
    paths = rehearsed_paths(gateway, RehearseSettings())
    (one,) = [p for p in paths if p.group == "same"]
    assert (one.hop, one.trigger, one.shape) == ("local", Trigger.GENERAL, "chat")
    assert {p.hop for p in paths if p.group == "other"} == {"none"}
    assert len([p for p in paths if p.group == "other"]) > 1
    assert list(scenarios_of(gateway, RehearseSettings(), one))


def test_another_end_is_another_path_to_prove():
    """What was proven of an answer proves nothing of a refusal; other groups' stay as they are."""
    refused = Expectation("claude/*/billing/*", Expected.REFUSED, "policy")
    usual = rehearsed_paths(GATEWAY, CHAT)
    changed = rehearsed_paths(GATEWAY, CHAT, expectations=(refused,))
    assert usual.keys() == changed.keys()
    anew = {path for path, wish in usual.items() if changed[path].fingerprint != wish.fingerprint}
    assert {path.group for path in anew} == {"claude"}
    assert anew == {p for p in usual if p.group == "claude" and p.trigger is Trigger.GENERAL}
