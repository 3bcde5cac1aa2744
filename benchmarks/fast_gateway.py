"""A gateway that costs little, in front of the simulated engine: what is left is our own time.

It tells its topology as LiteLLM does and walks its chains, but translates nothing: every group
speaks as OpenAI does.

python -m benchmarks.fast_gateway WITNESS-PORT
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.engine_flags import GEMMA
from chaos.lab.setups import LOCAL_GROUP
from chaos.lab.simulated_engine import SimulatedEngine

GROUPS = ("gpt-a", "gpt-b", "gpt-c", "gpt-d", "gpt-e", "gpt-f")
SURFACES = ("chat_completions", "responses")
"""Those that it can pass on as they are."""


class FastGateway:
    """Groups that fall back to an engine, one after the other."""

    def __init__(self, session: aiohttp.ClientSession, engine_base: str, witness_port: int) -> None:
        self._session = session
        permission = [{"api_base": redirect_permission(witness_port)}]
        rows = [_row(name, f"openai/{name}", permission) for name in GROUPS]
        rows.append(_row(LOCAL_GROUP, f"hosted_vllm/{GEMMA}", permission, engine_base))
        fallbacks = [{name: [LOCAL_GROUP]} for name in GROUPS]
        router = {"num_retries": 0, "fallbacks": fallbacks}
        self._answers: dict[str, Any] = {
            "/model/info": {"data": rows},
            "/get/config/callbacks": {"router_settings": router},
            "/router/settings": {"current_values": router},
            "/health/readiness/details": {"litellm_version": "1.106.2"},
        }

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.method == "GET":
            told = self._answers.get(request.path)
            return web.json_response(told or {"detail": "Not Found"}, status=200 if told else 404)
        body = json.loads(await request.read())
        lane, key = body.pop("api_base"), body.pop("api_key")
        body.pop("cache", None)
        group = body["model"]
        for hop in (group, LOCAL_GROUP) if group != LOCAL_GROUP else (group,):
            reply = await self._try(request, lane, body, key, hop)
            if reply is not None:
                return reply
        return _failed()

    async def _try(
        self, request: web.BaseRequest, lane: str, body: dict[str, Any], key: str, hop: str
    ) -> web.StreamResponse | None:
        """Ask one hop; None if it failed before its first byte."""
        asked = {**body, "model": GEMMA if hop == LOCAL_GROUP else hop}
        response: web.StreamResponse | None = None
        try:
            async with self._session.post(
                lane + request.path, json=asked, headers={"authorization": f"Bearer {key}"}
            ) as upstream:
                if upstream.status >= 400:
                    return None
                response = web.StreamResponse(
                    status=upstream.status,
                    headers={
                        "content-type": upstream.headers.get("content-type", "text/plain"),
                        "x-litellm-model-group": hop,
                    },
                )
                await response.prepare(request)
                async for data in upstream.content.iter_any():
                    await response.write(data)
                await response.write_eof()
        except aiohttp.ClientError:
            if response is not None and request.transport is not None:
                request.transport.abort()
        return response


def _row(
    name: str, model: str, permission: list[dict[str, str]], base: str | None = None
) -> dict[str, Any]:
    params = {"model": model, "configurable_clientside_auth_params": permission}
    if base is not None:
        params["api_base"] = base
    return {
        "model_name": name,
        "litellm_params": params,
        "model_info": {"id": f"{name}-id", "mode": "chat", "supports_vision": True},
    }


def _failed() -> web.Response:
    error = {"message": "no hop answered", "type": "server_error", "param": None, "code": "500"}
    return web.json_response({"error": error}, status=500)


async def _serve(witness_port: int) -> None:
    async with (
        SimulatedEngine() as engine,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        gateway = FastGateway(session, engine.base_url, witness_port)
        server = web.Server(gateway.answer, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
