"""Every provider as a fallback, with every shape on every surface, through a real LiteLLM.

Stand-ins answer in each provider's own dialect, so what fails here is LiteLLM's translation, or a
check of ours that takes a provider's spelling for a change.
"""

import secrets

import pytest

from chaos.drill.events import DrillEnded
from chaos.faults.fault import FaultName
from chaos.gateway.client import open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.judge.verdict import Outcome
from chaos.process.ports import free_port
from chaos.rehearsal import Rehearsal, RehearsalOptions
from chaos.scenario.expand import Profile, Selection
from chaos.witness.server import Witness

pytestmark = [pytest.mark.litellm, pytest.mark.asyncio]

KEY = {"api_key": "sk-made-up-0123456789"}
AWS = {
    "aws_access_key_id": "made-up",
    "aws_secret_access_key": "made-up",
    "aws_region_name": "us-east-1",
}
AZURE = {**KEY, "api_base": "https://made-up.openai.azure.com", "api_version": "2024-10-21"}
PROVIDERS = {
    "anthropic": ("anthropic/claude-sonnet-4-5", KEY),
    "openai-reasoning": ("openai/gpt-5-mini", KEY),
    "openrouter": ("openrouter/z-ai/glm-4.6", KEY),
    "gemini": ("gemini/gemini-2.5-pro", KEY),
    "azure": ("azure/gpt-4o", AZURE),
    "bedrock-converse": ("bedrock/converse/amazon.nova-pro-v1:0", AWS),
    "bedrock-invoke": ("bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0", AWS),
    "deepseek": ("deepseek/deepseek-chat", KEY),
    "groq": ("groq/llama-3.3-70b-versatile", KEY),
    "mistral": ("mistral/mistral-large-latest", KEY),
    "xai": ("xai/grok-4", KEY),
}
LOST = {
    # LiteLLM drops the schema on its way to Bedrock's invoke.
    ("bedrock-invoke", "structured_output", "messages"),
    # DeepSeek takes no pictures, and LiteLLM makes text of the list that they are in.
    ("deepseek", "image", "chat_completions"),
    ("deepseek", "image", "responses"),
}
"""What an untouched LiteLLM 1.106.2 loses on the way to a provider: real findings."""


def config(witness_port):
    """A primary for each provider, which is its only fallback."""
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    models = []
    for name, (model, params) in PROVIDERS.items():
        primary = {"model": f"openai/gpt-4.1-{name}", **KEY, **permission}
        models.append({"model_name": f"before-{name}", "litellm_params": primary})
        fallback = {"model": model, **params, **permission}
        models.append({"model_name": name, "litellm_params": fallback})
    fallbacks = [{f"before-{name}": [name]} for name in PROVIDERS]
    return {
        "model_list": models,
        "router_settings": {"num_retries": 0, "fallbacks": fallbacks},
    }


async def test_every_provider_can_stand_behind_every_kind_of_request(litellm_executable, tmp_path):
    """All shapes, surfaces and both streaming modes; what is lost is lost every time."""
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    groups = tuple(f"before-{name}" for name in PROVIDERS)
    faults = (FaultName("server_error"),)
    async with (
        running_litellm(
            litellm_executable, config(port), directory=tmp_path, master_key=key
        ) as litellm,
        open_gateway(litellm.url, key=key, admin_key=key) as gateway,
        Witness(f"http://127.0.0.1:{port}").serving([("127.0.0.1", port)]) as witness,
        Rehearsal.opened(
            gateway, RehearsalOptions(injector="redirect", concurrency=4), witness=witness
        ) as rehearsal,
    ):
        wanted = Selection(groups, faults, profile=Profile.EXHAUSTIVE, depth=1)
        plans = rehearsal.plan(rehearsal.scenarios(wanted))
        drills = [e.drill async for e in rehearsal.run(plans) if isinstance(e, DrillEnded)]
        assert len(drills) == len(PROVIDERS) * 9 * 3 * 2
        # A translation that is lacking is lacking every time. Once, for a reason that nobody found,
        # a single drill of these was answered by 500 though its hop's answer was whole.
        lost = {d.plan.scenario.key for d in drills if d.verdict.outcome is not Outcome.PASSED}
        once_more = [one for one in rehearsal.scenarios(wanted) if one.key in lost]
        run = rehearsal.run(rehearsal.plan(once_more))
        again = [e.drill async for e in run if isinstance(e, DrillEnded)]
    assert len(again) == len(lost) < len(drills) / 50
    for first in (d for d in drills if d.plan.scenario.key in lost):
        print(first.plan.scenario.key, first.verdict.deciding)  # noqa: T201 -- shown with -rP
    failed = {}
    for drill in again:
        scenario = drill.plan.scenario
        if drill.verdict.outcome is not Outcome.PASSED:
            way = (str(scenario.expected_hop), scenario.shape, scenario.surface)
            failed[way] = drill.verdict
    unexpected = {way: verdict for way, verdict in failed.items() if way not in LOST}
    assert not unexpected, "\n".join(f"{way}: {one.deciding}" for way, one in unexpected.items())
    assert {failed[way].kind for way in LOST} == {"request_changed"}
