"""Users on a fallback show in a real LiteLLM's metrics, and drills are not taken for them."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.process.ports import free_port
from tests.fakes.server import serving
from tests.system.test_daemon import api, configured, logging_to, proven, until

pytestmark = pytest.mark.litellm

DECLINED = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "message": "Your credit balance is too low to access the Anthropic API.",
    },
}


async def declined(_: web.Request) -> web.Response:
    """A provider whose bill was not paid."""
    return web.json_response(DECLINED, status=400)


@dataclass(frozen=True)
class Gateway:
    """What ``configured`` needs to know of a gateway."""

    gateway_url: str
    key: str
    witness_port: int


def config(provider: str, engine: str, witness_port: int) -> dict[str, Any]:
    """A gateway that publishes metrics, and falls back to a local engine."""
    allowed = {
        "configurable_clientside_auth_params": [{"api_base": redirect_permission(witness_port)}]
    }
    paid = {"model": "anthropic/claude-sonnet-4-5", "api_base": provider, "api_key": "sk-paid"}
    local = {"model": "hosted_vllm/google/gemma-4-26B-A4B-it", "api_base": engine}
    return {
        "model_list": [
            {"model_name": "claude", "litellm_params": {**paid, **allowed}},
            {"model_name": "gemma", "litellm_params": {**local, **allowed}},
        ],
        "litellm_settings": {"callbacks": ["prometheus"]},
        "router_settings": {"num_retries": 0, "fallbacks": [{"claude": ["gemma"]}]},
    }


def firing(known: Any) -> dict[str, Any]:
    """What fires, by name."""
    return {one["alertname"]: one for one in known["alerts"] if one["phase"] == "firing"}


async def test_users_on_a_fallback_are_told_apart_from_drills(
    litellm_executable: Path, tmp_path: Path
):
    """Drills fall back with the same key and are subtracted; a user's fallback is told with the
    gateway's own reason and when that fallback was last proven with tool calls.
    """
    key, port = f"sk-{secrets.token_hex(24)}", free_port()
    async with (
        SimulatedEngine() as engine,
        serving(declined) as provider,
        running_litellm(
            litellm_executable,
            config(provider, engine.base_url, port),
            directory=tmp_path / "litellm",
            master_key=key,
        ) as litellm,
        aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session,
    ):
        file = configured(
            Gateway(litellm.url, key, port),
            tmp_path,
            faults=["billing", "rate_limit", "server_error"],
            target="20s",
        )
        sections = yaml.safe_load(file.read_text())
        # Drills go on all the time: each path is due again after fifteen seconds.
        sections["watch"] = {"every": "1s"}
        file.write_text(yaml.safe_dump(sections))
        process = logging_to(tmp_path / "log", file, Gateway(litellm.url, key, port))
        try:
            await until(f"{api(file)}/api/v1/status", proven)

            def redrilled(status: Any) -> bool:
                looked = next(one for one in status["parts"] if one["part"] == "gateway")
                found = {step["name"]: step["found"] for step in looked["evidence"]}
                assert found.get("metrics", "no fallbacks of users lately") == (
                    "no fallbacks of users lately"
                ), found
                drilled = sum(status["drills_today"].values())
                return bool(drilled >= 3 * sum(status["states"].values()))

            await until(f"{api(file)}/api/v1/status", redrilled)
            known = await until(f"{api(file)}/api/v1/alerts", lambda known: known["alerts"])
            assert "RunningOnFallback" not in firing(known)

            body = {"model": "claude", "messages": [{"role": "user", "content": "Hello"}]}
            url = f"{litellm.url}/v1/chat/completions"
            async with session.post(url, json=body) as reply:
                assert reply.status == 200, await reply.text()
            known = await until(
                f"{api(file)}/api/v1/alerts", lambda known: "RunningOnFallback" in firing(known)
            )
            alert = firing(known)["RunningOnFallback"]
            assert alert["labels"]["group"] == "claude"
            assert "BadRequestError, status 400" in alert["annotations"]["summary"]
            assert "last proven with tool calls at" in alert["annotations"]["description"]
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)
