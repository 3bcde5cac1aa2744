"""The simulated ``vllm launch render`` as a client meets it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.model_text import ModelFormat
from chaos.lab.simulated_renderer import END_OF_TURN, SimulatedRenderer

RENDER, DERENDER = "/v1/chat/completions/render", "/v1/chat/completions/derender"
USER = {"role": "user", "content": "Call it."}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
    ],
}
GEMMA_CALL = '<|tool_call>call:weather{city:<|"|>Oslo<|"|>}<tool_call|>'
HERMES_CALL = '<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
PYTHONIC_CALL = "[weather(city='Oslo')]"


class Client:
    """Asks one renderer."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        """Send *body*; the answer must have *status*."""
        async with self._session.post(path, json=body) as reply:
            assert reply.status == status
            return await reply.json()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Ask for *path*."""
        async with self._session.get(path) as reply:
            return reply.status, await reply.read()

    async def tokens(self, text: str) -> list[int]:
        """Have a text made to tokens."""
        found: list[int] = (await self.post("/tokenize", {"prompt": text}))["tokens"]
        return found

    async def text(self, tokens: list[int]) -> str:
        """Have tokens made to a text."""
        return str((await self.post("/detokenize", {"tokens": tokens}))["prompt"])

    async def whole(self, text: str) -> dict[str, Any]:
        """Have a whole reply read; gives its message."""
        choice = {"index": 0, "token_ids": await self.tokens(text), "finish_reason": "stop"}
        answer = await self.post(DERENDER, {"generate_response": {"choices": [choice]}})
        message: dict[str, Any] = answer["choices"][0]["message"]
        return message

    async def streamed(self, text: str) -> list[dict[str, Any]]:
        """Have a reply read token by token; gives the deltas."""
        tokens, state, deltas = await self.tokens(text), None, []
        for place, token in enumerate(tokens):
            last = place == len(tokens) - 1
            choice = {"index": 0, "token_ids": [token], "finish_reason": "stop" if last else None}
            body = {
                "stream": True,
                "prompt_token_ids": [1],
                "generate_chunk": {"choices": [choice]},
                "stream_state": state,
            }
            answer = await self.post(DERENDER, body)
            state = answer["stream_state"]
            deltas.append(answer["chunk"]["choices"][0]["delta"])
        return deltas


@asynccontextmanager
async def client_of(flags: EngineFlags | None = None) -> AsyncIterator[Client]:
    """Run a renderer and a client of it."""
    async with (
        SimulatedRenderer(flags or EngineFlags()) as renderer,
        aiohttp.ClientSession(renderer.url) as session,
    ):
        yield Client(session)


def calls_of(message: dict[str, Any]) -> list[tuple[str, Any]]:
    """Name the calls of a message, with their arguments."""
    return [
        (call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message["tool_calls"]
    ]


@pytest.mark.parametrize("text", ["", "Hello", f"Grüße 你好 🦊 {GEMMA_CALL}"])
async def test_a_text_comes_back_from_its_tokens(text):
    """A token is a character, and each is counted."""
    async with client_of() as client:
        answer = await client.post("/tokenize", {"prompt": text})
        assert answer["count"] == len(answer["tokens"]) == len(text)
        assert await client.text(answer["tokens"]) == text


async def test_it_is_well_and_has_the_version_of_its_flags():
    """Where vLLM has both."""
    async with client_of(EngineFlags(version="0.33.1")) as client:
        assert await client.get("/health") == (200, b"")
        assert await client.get("/version") == (200, b'{"version": "0.33.1"}')


@pytest.mark.parametrize(
    ("model_format", "call"),
    [
        (ModelFormat.GEMMA4, GEMMA_CALL),
        (ModelFormat.HERMES, HERMES_CALL),
        (ModelFormat.PYTHONIC, PYTHONIC_CALL),
    ],
)
async def test_the_template_writes_a_call_as_its_model_does(model_format, call):
    """Whatever the parser is, and with the end of the turn behind it."""
    async with client_of(EngineFlags(model_format=model_format)) as client:
        body = {"messages": [USER, CALLED], "add_generation_prompt": False}
        text = await client.text((await client.post(RENDER, body))["token_ids"])
    assert text == f"<|turn>user\nCall it.{END_OF_TURN}<|turn>model\n{call}{END_OF_TURN}"


async def test_a_prompt_is_the_beginning_of_the_turn_that_answers_it():
    """So that what the model would write can be cut out of the whole."""
    async with client_of() as client:
        prompt = (await client.post(RENDER, {"messages": [USER]}))["token_ids"]
        body = {"messages": [USER, CALLED], "add_generation_prompt": False}
        whole = (await client.post(RENDER, body))["token_ids"]
        assert whole[: len(prompt)] == prompt
        assert await client.text(whole[len(prompt) :]) == GEMMA_CALL + END_OF_TURN


@pytest.mark.parametrize(
    ("parser", "call"),
    [("gemma4", GEMMA_CALL), ("hermes", HERMES_CALL), ("pythonic", PYTHONIC_CALL)],
)
async def test_a_whole_reply_is_read_by_the_parser_of_its_family(parser, call):
    """The end of the turn is no part of it."""
    async with client_of(EngineFlags(tool_call_parser=parser)) as client:
        message = await client.whole(call + END_OF_TURN)
    assert calls_of(message) == [("weather", {"city": "Oslo"})]
    assert (message["role"], message["content"]) == ("assistant", None)


async def test_a_streamed_reply_is_read_when_it_has_ended():
    """Its state is carried from token to token by the client."""
    async with client_of() as client:
        *before, last = await client.streamed(GEMMA_CALL + END_OF_TURN)
    assert before == [{}] * (len(GEMMA_CALL + END_OF_TURN) - 1)
    assert calls_of(last) == [("weather", {"city": "Oslo"})]


async def test_calls_are_numbered():
    """Two in one reply are two."""
    async with client_of() as client:
        message = await client.whole(GEMMA_CALL + GEMMA_CALL.replace("Oslo", "Bergen"))
    assert [call["index"] for call in message["tool_calls"]] == [0, 1]
    assert calls_of(message)[1] == ("weather", {"city": "Bergen"})


@pytest.mark.parametrize("parser", ["hermes", "pythonic", None])
async def test_a_parser_of_another_family_leaves_the_call_in_the_text(parser):
    """Nothing fails, whole or streamed: that is the trouble with it."""
    flags = EngineFlags(
        tool_call_parser=parser, enable_auto_tool_choice=parser is not None, reasoning_parser=None
    )
    async with client_of(flags) as client:
        whole = await client.whole(GEMMA_CALL)
        streamed = (await client.streamed(GEMMA_CALL))[-1]
    assert (whole["content"], whole["tool_calls"]) == (GEMMA_CALL, [])
    assert (streamed["content"], streamed["tool_calls"]) == (GEMMA_CALL, [])


async def test_a_stream_without_the_tokens_of_its_prompt_is_refused():
    """As vLLM does: its parsers want to know where the prompt ended."""
    choice = {"index": 0, "token_ids": [65], "finish_reason": None}
    async with client_of() as client:
        body = {"stream": True, "generate_chunk": {"choices": [choice]}}
        refused = await client.post(DERENDER, body, status=400)
    assert "prompt_token_ids" in refused["error"]["message"]
