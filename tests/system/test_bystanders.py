"""Users feel nothing: a campaign of faults beside ordinary traffic, through a real LiteLLM."""

import asyncio
import secrets
from collections import Counter

import aiohttp
import pytest

from chaos.gateway.client import open_gateway
from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_provider import simulated_provider
from chaos.process.ports import free_port
from chaos.scenario.expand import Profile, Selection
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.settings.model import DrillSettings, GatewaySettings, Settings, WitnessSettings
from tests.patience import reply_time_s, scaled

PRIMARY = "claude"
EVERY_S = 0.1


def config(provider_base, engine_base, witness_port):
    """A gateway that cools a deployment for a minute after a single failure."""
    permission = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    primary = [
        {
            "model_name": PRIMARY,
            "litellm_params": {
                "model": f"anthropic/claude-sonnet-4-{number}",
                "api_base": provider_base,
                "api_key": f"sk-lab-{number}",
                **permission,
            },
        }
        for number in (5, 6)
    ]
    local = {
        "model_name": "gemma",
        "litellm_params": {
            "model": "hosted_vllm/google/gemma-4-26B-A4B-it",
            "api_base": engine_base,
            **permission,
        },
    }
    return {
        "model_list": [*primary, local],
        "router_settings": {
            "num_retries": 0,
            "allowed_fails": 0,
            "cooldown_time": 60,
            "fallbacks": [{PRIMARY: ["gemma"]}],
        },
    }


async def use(url, key, served, stop):
    """Ask ten times a second as a user would, and count who served."""
    headers = {"authorization": f"Bearer {key}"}
    body = {"model": PRIMARY, "messages": [{"role": "user", "content": "Hello"}]}
    async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as requests:

        async def one():
            async with session.post(f"{url}/v1/chat/completions", json=body) as reply:
                await reply.read()
                group = reply.headers.get("x-litellm-model-group")
                served[(reply.status, group)] += 1

        while not stop.is_set():
            requests.create_task(one())
            await asyncio.sleep(EVERY_S)


@pytest.mark.litellm
async def test_a_campaign_reroutes_nobody(litellm_executable, tmp_path):
    """While every fault is played, each user's request is served by its primary, as before."""
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    served: Counter[tuple[int, str | None]] = Counter()
    async with (
        simulated_provider() as provider,
        SimulatedEngine() as engine,
        running_litellm(
            litellm_executable,
            config(provider.base_url("anthropic"), engine.base_url, port),
            directory=tmp_path,
            master_key=key,
        ) as litellm,
        open_gateway(litellm.url, key=key, admin_key=key) as gateway,
    ):
        before = await gateway.model_ids()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as both:
            both.create_task(use(litellm.url, key, served, stop))
            deadline_s = scaled(2, await reply_time_s(litellm.url, key, "gemma"))
            settings = Settings(
                gateway=GatewaySettings(url=litellm.url),
                witness=WitnessSettings(
                    listen=(f"127.0.0.1:{port}",), url=f"http://127.0.0.1:{port}"
                ),
                drills=DrillSettings(deadline_s=deadline_s, concurrency=4),
            )
            selection = Selection(
                shapes=("chat",), surfaces=("chat_completions",), profile=Profile.FULL, depth=1
            )
            report = await run_drills(gateway, settings, DrillRequest(selection))
            stop.set()
        assert await gateway.model_ids() == before
    assert report.summary.passed > 20
    # One of ours was undisturbed, to see how fast the gateway is.
    assert provider.calls_total.total() == sum(served.values()) + 1
    assert set(served) == {(200, PRIMARY)}
    assert sum(served.values()) > 20
