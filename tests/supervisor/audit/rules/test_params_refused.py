"""A fallback has to take what the clients of its group send."""

from typing import Any

import pytest

from supervisor.audit.rules.params_refused import params_refused
from tests.fakes.audit_findings import audited, brief
from tests.fakes.topologies import group

TAKES = ("max_tokens", "parallel_tool_calls", "temperature", "tools")
OFF = {"litellm_settings": {"drop_params": False}}
UNSET: dict[str, Any] = {"litellm_settings": {}}


def found(
    clients=("hermes",), *, config=UNSET, version="1.106.2", takes=TAKES, model="claude", **hop
):
    """What is wrong when these clients ask, and the hop is so."""
    hop = {"litellm_model": "mistral/large", "supported_params": takes, **hop}
    looked_at = audited(
        {model: ["local"]},
        groups={"local": group("local", **hop)},
        changes={"litellm_version": version},
        clients={model: clients} if clients else {},
        config=config,
    )
    return list(params_refused(looked_at))


@pytest.mark.parametrize("config", [OFF, UNSET, {}])
def test_a_parameter_that_the_hop_refuses_is_told(config):
    """With the hop, the parameter and the client, and what to write."""
    (finding,) = found(config=config)
    assert brief([finding]) == [("params_refused", "warning", "claude")]
    assert "'local' refuses reasoning_effort of hermes" in finding.message
    assert "--litellm-config" not in finding.message
    assert finding.config == {
        "model_list": [{"model_name": "local", "litellm_params": {"drop_params": True}}]
    }


def test_what_cannot_be_seen_is_said():
    """Only the file shows whether LiteLLM drops everywhere, so that it is no warning without."""
    (finding,) = found(config=None)
    assert finding.severity == "info"
    assert "give it with --litellm-config" in finding.message
    (unread,) = found(config={"litellm_settings": {"drop_params": "os.environ/DROP"}})
    assert unread.severity == "info"


@pytest.mark.parametrize(
    "how",
    [
        {"config": {"litellm_settings": {"drop_params": True}}},
        {"config": {"litellm_settings": {"drop_params": "true"}}},
        {"drop_params": True},
        {"dropped_params": ("reasoning_effort",)},
        {"allowed_params": ("reasoning_effort",)},
        {"takes": (*TAKES, "reasoning_effort")},
        {"takes": None},
        {"clients": ()},
        {"clients": ("cline",)},
    ],
    ids=str,
)
def test_what_is_dropped_taken_or_unknown_is_no_finding(how):
    """By the gateway, for the hop, or by the client itself; null is unknown, never no."""
    assert found(**how) == []


@pytest.mark.parametrize("client", ["claude_code", "codex"])
def test_litellm_drops_for_some_clients_by_itself(client):
    """From 1.103.0 on, whatever drop_params says; before that nothing is dropped for anyone."""
    assert found((client,), config=OFF) == []
    (finding,) = found((client,), version="1.82.6")
    assert f"of {client}" in finding.message


def test_a_request_that_goes_on_untranslated_is_not_checked():
    """Anthropic's own format to Anthropic."""
    assert found(("claude_code",), version="1.82.6", litellm_model="anthropic/x") == []


def test_several_clients_are_named_with_what_each_sends():
    """The one that sends what is taken is not."""
    (finding,) = found(("hermes", "openai_agents", "cline"), model="gpt-5")
    assert "reasoning_effort of hermes and reasoning_effort of openai_agents" in finding.message


def test_what_a_client_sends_with_other_models_only_is_no_finding():
    """The Agents SDK sets an effort for gpt-5, and for nothing else."""
    assert found(("openai_agents",)) == []
