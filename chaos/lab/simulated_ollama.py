"""A simulated Ollama: its own API, its refusals, and its habit of cutting prompts without a word.

    request ─► refusals (model, tools) ─► prompt cut to num_ctx ─► model answers ─► wire format

Source: github.com/ollama/ollama, docs/api.md; what is cut: ollama/ollama#17427, #3839, #17889.
"""

import json
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from aiohttp import web

from chaos.lab.engine_refusals import CHARACTERS_PER_TOKEN, prompt_text, tokens_in
from chaos.lab.serving import serving
from chaos.protocol.conversation import Answer, Ask, Finish, Json
from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.stand_in import compose

MOST_SEEN = 256
MOST_BODY_BYTES = 64 << 20
GENERATES: Final = {
    "/api/chat": "ollama_chat",
    "/api/generate": "ollama_generate",
    "/api/embed": "ollama_embeddings",
}


@dataclass(frozen=True, slots=True)
class OllamaFlags:
    """One Ollama; the defaults are a good one.

    Attributes:
        models: What was pulled, besides what carries the tag ``latest`` or none.
        num_ctx: Context in tokens where a request names none; Ollama's own default is 4,096 on
            small GPUs.
        supports_tools: The models' templates have a place for tools.
    """

    models: tuple[str, ...] = ("llama3.2",)
    num_ctx: int = 32_768
    supports_tools: bool = True


@dataclass(frozen=True, slots=True)
class SeenByOllama:
    """A request that reached it.

    Attributes:
        cut: Tokens of the prompt that the model never saw.
    """

    path: str
    body: Json
    status: int
    cut: int = 0


def cut_to(ask: Ask, num_ctx: int) -> Ask:
    """Cut *ask* as Ollama does where it does not fit: nobody is told. Pure.

    Whole turns go first, the oldest first, but for the system's and the last one. If that one
    alone is too long, as much of its end stays as fills half of the context.
    """
    turns = list(ask.turns)
    while tokens_in(prompt_text(replace(ask, turns=tuple(turns)))) > num_ctx:
        old = [place for place, turn in enumerate(turns[:-1]) if turn.role != "system"]
        if not old:
            kept = num_ctx // 2 * CHARACTERS_PER_TOKEN
            turns[-1:] = [replace(turn, text=turn.text[-kept:]) for turn in turns[-1:]]
            break
        del turns[old[0]]
    return replace(ask, turns=tuple(turns))


def answer_of(ask: Ask, body: Json, num_ctx: int) -> tuple[Answer, int]:
    """Answer what is left of *ask*, and tell how many tokens of it are not. Pure."""
    seen = cut_to(ask, num_ctx)
    whole, left = tokens_in(prompt_text(ask)), tokens_in(prompt_text(seen))
    answer = replace(compose(seen), input_tokens=left)
    if body.get("format") == "json" and not answer.tool_calls:
        # The grammar of format: json leaves a model no other way to say something.
        answer = replace(answer, text=json.dumps({"response": answer.text}))
    most = ask.max_tokens
    if most is not None and 0 < most < tokens_in(answer.text):
        text = answer.text[: most * CHARACTERS_PER_TOKEN]
        answer = replace(answer, text=text, finish=Finish.LENGTH, output_tokens=most)
    return answer, whole - left


class SimulatedOllama:
    """One Ollama; an async context manager that serves while its block runs.

    Attributes:
        seen: The last requests to its models, oldest first.
    """

    def __init__(self, flags: OllamaFlags | None = None) -> None:
        self.flags = flags or OllamaFlags()
        self.seen: deque[SeenByOllama] = deque(maxlen=MOST_SEEN)
        self.base_url = ""
        self._server = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MOST_BODY_BYTES)
        app.router.add_get("/", self._root)
        app.router.add_get("/api/tags", self._tags)
        app.router.add_post("/api/show", self._show)
        for path in GENERATES:
            app.router.add_post(path, self._generate)
        url = await self._server.enter_async_context(serving(app))
        self.base_url = str(url).rstrip("/")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.aclose()

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _tags(self, _: web.Request) -> web.Response:
        models = [{"name": _tagged(name), "model": _tagged(name)} for name in self.flags.models]
        return web.json_response({"models": models})

    async def _show(self, request: web.Request) -> web.Response:
        body = await _json(request)
        name = body.get("model") or body.get("name")
        missing = self._missing(name)
        if missing is not None:
            return missing
        template = "{{ .Tools }}{{ .Prompt }}" if self.flags.supports_tools else "{{ .Prompt }}"
        # The model's own limit, which says nothing of what the server gives it.
        return web.json_response(
            {"template": template, "model_info": {"llama.context_length": 131_072}}
        )

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        spoken = WIRE_FORMATS[GENERATES[request.path]]
        ask = spoken.read_ask(body)
        model = body.get("model")
        refused = self._missing(model) or self._toolless(model, body)
        if refused is not None:
            self.seen.append(SeenByOllama(request.path, body, refused.status))
            return refused
        options = body.get("options")
        named = options.get("num_ctx") if isinstance(options, dict) else None
        answer, cut = answer_of(ask, body, named if isinstance(named, int) else self.flags.num_ctx)
        self.seen.append(SeenByOllama(request.path, body, 200, cut))
        # What asks for no stream says so: streaming is Ollama's default.
        stream = body.get("stream") is not False and not ask.inputs
        pieces = spoken.write_answer(answer, model=str(model), stream=stream)
        reply = web.StreamResponse(headers={"Content-Type": spoken.content_type(stream=stream)})
        await reply.prepare(request)
        for piece in pieces:
            await reply.write(piece.data)
        await reply.write_eof()
        return reply

    def _missing(self, model: Any) -> web.Response | None:
        if _tagged(str(model)) in map(_tagged, self.flags.models):
            return None
        return _refusal(404, f"model '{model}' not found, try pulling it first")

    def _toolless(self, model: Any, body: Json) -> web.Response | None:
        if not body.get("tools") or self.flags.supports_tools:
            return None
        return _refusal(400, f"registry.ollama.ai/library/{_tagged(model)} does not support tools")


def _tagged(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


async def _json(request: web.Request) -> Json:
    """Read the body, whatever its media type: LiteLLM names none that is JSON's."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    refused = _refusal(400, "invalid request body")
    raise web.HTTPBadRequest(text=refused.text, content_type="application/json")
