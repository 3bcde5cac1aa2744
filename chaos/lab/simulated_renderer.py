"""A simulated ``vllm launch render``: templates and parsers, and no model behind them.

A token is a character. The template writes a tool call as the engine's ``model_format`` does; the
parsers are those of the simulated engine.

Source: vLLM 0.32.0, run: paths, fields, and that a streamed derender wants the prompt's tokens.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

from aiohttp import web

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import parsed, written
from chaos.lab.serving import serving
from chaos.protocol.conversation import Answer, Json, ToolCall

AUTO_REFUSED = (
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
)
END_OF_TURN = "<turn|>\n"


class SimulatedRenderer:
    """One server; an async context manager that serves while its block runs."""

    def __init__(self, flags: EngineFlags, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.flags = flags
        self.url = ""
        self._place = (host, port)
        self._server = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/health", _well)
        app.router.add_get("/version", self._version)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post("/detokenize", self._detokenize)
        app.router.add_post("/v1/chat/completions/render", self._render)
        app.router.add_post("/v1/chat/completions/derender", self._derender)
        host, port = self._place
        self.url = str(await self._server.enter_async_context(serving(app, host=host, port=port)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.aclose()

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": self.flags.version})

    async def _tokenize(self, request: web.Request) -> web.Response:
        tokens = _tokens(str((await request.json())["prompt"]))
        return web.json_response({"count": len(tokens), "tokens": tokens, "token_strs": None})

    async def _detokenize(self, request: web.Request) -> web.Response:
        return web.json_response({"prompt": _text((await request.json())["tokens"])})

    async def _render(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("tools") and not self.flags.enable_auto_tool_choice:
            refused = {"error": {"message": AUTO_REFUSED, "type": "BadRequestError", "code": 400}}
            return web.json_response(refused, status=400)
        text = "".join(self._turn(message) for message in body["messages"])
        if body.get("add_generation_prompt", True):
            text += "<|turn>model\n"
        return web.json_response({"request_id": "chatcmpl-1", "token_ids": _tokens(text)})

    def _turn(self, message: Json) -> str:
        role = "model" if message["role"] == "assistant" else message["role"]
        calls = tuple(
            ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in message.get("tool_calls") or ()
        )
        answer = Answer(text=str(message.get("content") or ""), tool_calls=calls)
        return f"<|turn>{role}\n{written(answer, self.flags.model_format)}{END_OF_TURN}"

    async def _derender(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not body.get("stream"):
            choice = body["generate_response"]["choices"][0]
            message = {"role": "assistant", **self._read(_text(choice["token_ids"]))}
            return web.json_response({"choices": [{"index": 0, "message": message}]})
        if body.get("prompt_token_ids") is None:
            refused = {"error": {"message": "prompt_token_ids is required", "code": 400}}
            return web.json_response(refused, status=400)
        choice = body["generate_chunk"]["choices"][0]
        so_far = str((body.get("stream_state") or {}).get("text", "")) + _text(choice["token_ids"])
        # The simulation reads a stream when it has ended, and says all of it then.
        delta: Mapping[str, Any] = self._read(so_far) if choice.get("finish_reason") else {}
        chunk = {"choices": [{"index": 0, "delta": delta}]}
        return web.json_response({"chunk": chunk, "stream_state": {"text": so_far}})

    def _read(self, text: str) -> dict[str, Any]:
        flags = self.flags
        found = parsed(
            text.removesuffix(END_OF_TURN),
            tool_parser=flags.tool_call_parser,
            reasoning_parser=flags.reasoning_parser,
            tools=True,
        )
        calls = [
            {
                "index": number,
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for number, call in enumerate(found.tool_calls)
        ]
        return {"content": found.content or None, "tool_calls": calls}


async def _well(_: web.Request) -> web.Response:
    return web.Response()


def _tokens(text: str) -> list[int]:
    return [ord(character) for character in text]


def _text(tokens: list[int]) -> str:
    return "".join(map(chr, tokens))
