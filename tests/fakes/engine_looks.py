"""Looks at engines that are well, and at servers that talk nonsense."""

import json

import aiohttp
from aiohttp import web

from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from supervisor.probes.depths.look import probe_engine


async def look(url, **options):
    """Look at what answers at *url*."""
    async with aiohttp.ClientSession() as session:
        return await probe_engine(session, url, **options)


async def look_at(flags=None, **options):
    """Look at a simulated engine."""
    options.setdefault("asked_for", (GEMMA,))
    async with SimulatedEngine(flags or EngineFlags()) as engine:
        return await look(engine.base_url, **options)


MODELS = {"object": "list", "data": [{"id": GEMMA, "max_model_len": 4096, "root": "/m"}]}


METRICS = "vllm:iteration_tokens_total_count 7\nvllm:num_requests_waiting 0\n"


REPLY = {"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens_details": None}}


def answers(**paths):
    """Answer each path as told; the names of paths with their slashes taken out."""

    async def handler(request):
        said = paths.get(request.path.replace("/", ""), (404, "", "text/plain"))
        if callable(said):
            said = await said()
        status, body, kind = said
        return web.Response(status=status, text=body, content_type=kind)

    return handler


def page(text="<html><body>It works!</body></html>"):
    """A web page, whatever was asked."""
    return 200, text, "text/html"


def as_json(value):
    """JSON."""
    return 200, json.dumps(value), "application/json"


WELL = {
    "health": (200, "", "text/plain"),
    "v1models": as_json(MODELS),
    "metrics": (200, METRICS, "text/plain"),
    "v1chatcompletions": as_json(REPLY),
}
