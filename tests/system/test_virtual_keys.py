"""Drills as virtual keys through a real LiteLLM: own fallbacks, access and budget."""

import secrets
from typing import Any

import pytest
import yaml

from chaos.faults.fault import FaultName
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.judge.verdict import Outcome
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_provider import simulated_provider
from chaos.process.ports import free_port
from chaos.scenario.expand import Selection
from chaos.scenario.expectation import Expected
from supervisor.campaign.connection import connected_or_none
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.settings.model import Settings
from tests.fakes.litellm_keys import GENERAL_SETTINGS, module

OWN, CLOSED, POOR = "sk-own-aaaaaaaaaaaa", "sk-closed-bbbbbbbbbb", "sk-poor-cccccccccccc"
KEYS: dict[str, dict[str, Any]] = {
    OWN: {"key_alias": "own", "router_settings": {"fallbacks": [{"claude": ["qwen"]}]}},
    CLOSED: {"key_alias": "closed", "models": ["claude"]},
    POOR: {"max_budget": 1.0, "spend": 2.0},
}
REFUSED = {"scenario": "claude/*", "outcome": "refused", "reason": "its team pays for claude only"}
BILLING = Selection(
    groups=("claude",),
    faults=(FaultName("billing"),),
    shapes=("chat",),
    surfaces=("chat_completions",),
    stream=False,
    depth=1,
)


def config(provider_base, engine_base, other_base, witness_port):
    """A gateway whose router falls back to gemma, and which asks keys for their access."""
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    claude = {
        "model": "anthropic/claude-sonnet-4-5",
        "api_base": provider_base,
        "api_key": "sk-lab-0123456789abcdef",
        **permission,
    }
    gemma = {"model": "hosted_vllm/google/gemma-4-26B-A4B-it", "api_base": engine_base}
    qwen = {"model": "hosted_vllm/qwen", "api_base": other_base}
    return {
        "model_list": [
            {"model_name": "claude", "litellm_params": claude},
            {"model_name": "gemma", "litellm_params": {**gemma, **permission}},
            {"model_name": "qwen", "litellm_params": {**qwen, **permission}},
        ],
        "router_settings": {"num_retries": 0, "fallbacks": [{"claude": ["gemma"]}]},
        "general_settings": {**GENERAL_SETTINGS, "enforce_fallback_model_access": True},
    }


@pytest.mark.litellm
async def test_a_gateway_is_drilled_as_the_keys_of_its_clients(
    litellm_executable, tmp_path, monkeypatch
):
    """Its own chain by a twin, a refusal by redirect, and no proof for a key without money."""
    witness_port, master = free_port(), f"sk-{secrets.token_hex(24)}"
    for name, value in {"MASTER": master, "OWN": OWN, "CLOSED": CLOSED, "POOR": POOR}.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []

    async with SimulatedEngine() as engine, simulated_provider() as provider:
        made = config(
            provider.base_url("anthropic"),
            engine.base_url,
            provider.base_url("vllm"),
            witness_port,
        )
        file = tmp_path / "gateway.yaml"
        file.write_text(yaml.safe_dump(made), "utf-8")
        folder = tmp_path / "litellm"
        folder.mkdir()
        (folder / "virtual_keys.py").write_text(module(master, KEYS), "utf-8")
        running = running_litellm(litellm_executable, made, directory=folder, master_key=master)
        async with running as litellm:

            async def drilled(key, **sections):
                """Drill claude as the key that is in a variable."""
                settings = Settings.model_validate(
                    {
                        "gateway": {
                            "url": litellm.url,
                            "key": {"env": "MASTER"},
                            "as_key": {"env": key},
                        },
                        "witness": {"listen": [f"127.0.0.1:{witness_port}"]},
                        **sections,
                    }
                )
                async with connected_or_none(settings) as gateway:
                    return await run_drills(
                        gateway, settings, DrillRequest(BILLING), say=said.append
                    )

            twin = {"litellm_config": str(file), "litellm_bin": str(litellm_executable)}
            (own,) = (await drilled("OWN", twin=twin)).drills
            (unproven,) = (await drilled("OWN")).drills
            closed = await drilled("CLOSED", expect=[REFUSED])
            (leaking,) = (await drilled("CLOSED")).drills
            poor = await drilled("POOR")

    # The router's chain ends at gemma; the key's own at qwen, which only a twin shows.
    assert (own.injector, own.scenario.chain) == ("twin", ("claude", "qwen"))
    assert (own.outcome, own.reply.served_by) == (Outcome.PASSED, "qwen")
    assert unproven.kind == "hop_not_forwardable"
    assert any("which LiteLLM leaves aside on a redirected request" in line for line in said)

    (refusal,) = closed.drills
    assert (refusal.injector, refusal.outcome) == ("redirect", Outcome.PASSED)
    assert refusal.expected is Expected.REFUSED
    assert [(hop.group, hop.attempts) for hop in refusal.hops] == [("claude", 1), ("gemma", 0)]
    assert closed.gateway.as_key == "closed"
    assert set(closed.gateway.closed) == {"gemma", "qwen"}
    assert (leaking.outcome, leaking.kind) == (Outcome.FAILED, "never_tried")
    assert any("expect a refusal" in (finding.remedy or "") for finding in leaking.findings)

    (broke,) = poor.drills
    assert (broke.outcome, broke.kind) == (Outcome.INCONCLUSIVE, "gateway_refused")
    assert any("Budget has been exceeded" in finding.message for finding in broke.findings)
    assert poor.gateway.as_key == "…cccc"
    assert any("it is over its budget: 2.00 of 1.00 USD are spent" in line for line in said)
    told = "\n".join(
        [*said, own.model_dump_json(), closed.model_dump_json(), poor.model_dump_json()]
    )
    assert not [key for key in (*KEYS, master) if key in told]
