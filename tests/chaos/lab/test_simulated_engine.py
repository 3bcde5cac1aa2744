"""The simulated engine as a client meets it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from chaos.lab.engine_flags import GEMMA, EngineFlags
from chaos.lab.simulated_engine import GENERATES, SimulatedEngine
from chaos.protocol.conversation import Ask, Finish, ToolSpec, Turn
from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.reading import Reading
from tests.fakes.metric_sums import sums

NONCE = "0badcafe"
TOOL = ToolSpec(
    "get_weather",
    "Tell the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CHAT = Ask(turns=(Turn("user", f"Say {NONCE}."),), max_tokens=512)
TOOLS = Ask(
    turns=(Turn("user", f"Call get_weather for the city {NONCE}."),), tools=(TOOL,), max_tokens=512
)
PATHS = {name: path for path, name in GENERATES.items()}


@asynccontextmanager
async def client_of(
    flags: EngineFlags | None = None,
) -> AsyncIterator[tuple[SimulatedEngine, aiohttp.ClientSession]]:
    """Run an engine and a client of it."""
    async with SimulatedEngine(flags) as engine, aiohttp.ClientSession(engine.url) as session:
        yield engine, session


async def read(
    session: aiohttp.ClientSession, ask: Ask, *, surface: str = "chat_completions", stream: bool
) -> Reading:
    """Send *ask* and read the reply strictly."""
    wire_format = WIRE_FORMATS[surface]
    body = wire_format.write_ask(ask, model=GEMMA, stream=stream)
    async with session.post(PATHS[surface], json=dict(body)) as reply:
        if not stream or reply.status != 200:
            return wire_format.read_reply(reply.status, await reply.read())
        reader = wire_format.stream_reader()
        async for data in reply.content.iter_any():
            reader.feed(data)
        return reader.close()


async def get_json(session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    """Read the JSON at *path*."""
    async with session.get(path) as reply:
        assert reply.status == 200
        return dict(await reply.json())


@pytest.mark.parametrize("surface", PATHS)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_healthy_engine_answers_on_every_surface(surface: str, stream: bool):
    """Chat and tool call come back whole, without a defect, on each endpoint."""
    async with client_of() as (_, session):
        chat = await read(session, CHAT, surface=surface, stream=stream)
        call = await read(session, TOOLS, surface=surface, stream=stream)
    assert chat.defects == call.defects == ()
    assert NONCE in chat.text
    assert "thought" not in chat.text
    assert [(made.name, NONCE in made.arguments) for made in call.tool_calls] == [
        ("get_weather", True)
    ]
    assert call.finish is Finish.TOOL_CALLS


@pytest.mark.parametrize("stream", [False, True])
async def test_without_tool_flags_chat_passes_and_tools_do_not(stream: bool):
    """The founding incident: nobody notices until an agent comes, also when it streams."""
    flags = EngineFlags(enable_auto_tool_choice=False, tool_call_parser=None)
    async with client_of(flags) as (_, session):
        chat = await read(session, CHAT, stream=stream)
        call = await read(session, TOOLS, stream=stream)
    assert NONCE in chat.text
    assert call.error is not None
    assert call.error.message.startswith('"auto" tool choice requires --enable-auto-tool-choice')
    assert not call.error.in_band


@pytest.mark.parametrize("stream", [False, True])
async def test_with_the_wrong_parser_the_call_is_text(stream: bool):
    """The leak is a good reply in form: no error, no defect, ``stop``."""
    async with client_of(EngineFlags(tool_call_parser="hermes")) as (_, session):
        call = await read(session, TOOLS, stream=stream)
    assert call.defects == ()
    assert call.tool_calls == ()
    assert call.finish is Finish.STOP
    assert "<|tool_call>call:get_weather{" in call.text


async def test_refusals_on_messages_have_its_envelope():
    """An Anthropic client can read the engine's errors."""
    async with client_of(EngineFlags(served_model_names=("other",))) as (_, session):
        reply = await read(session, CHAT, surface="messages", stream=False)
    assert reply.error is not None
    assert reply.error.well_formed
    assert reply.error.type == "NotFoundError"


async def test_models_show_name_context_and_checkpoint():
    """Each served name is listed with the effective context and the real checkpoint."""
    flags = EngineFlags(served_model_names=("a", "b"), max_model_len=4096)
    async with client_of(flags) as (_, session):
        models = (await get_json(session, "/v1/models"))["data"]
    assert [(model["id"], model["max_model_len"], model["root"]) for model in models] == [
        ("a", 4096, GEMMA),
        ("b", 4096, GEMMA),
    ]


async def test_small_endpoints_answer():
    """Health, version and token count are where vLLM has them."""
    async with client_of() as (_, session):
        assert await get_json(session, "/version") == {"version": "0.32.0"}
        for path in ("/health", "/ping"):
            async with session.get(path) as reply:
                assert (reply.status, await reply.read()) == (200, b"")
        async with session.post("/tokenize", json={"prompt": "x" * 40}) as reply:
            assert (await reply.json())["count"] == 10


async def test_only_v1_asks_for_the_key():
    """A wrong key fails on chat with a bare string, while health and metrics are open."""
    async with client_of(EngineFlags(api_key="sk-made-up")) as (_, session):
        async with session.get("/v1/models") as reply:
            assert (reply.status, await reply.json()) == (401, {"error": "Unauthorized"})
        async with session.get("/metrics") as reply:
            assert reply.status == 200
        key = {"Authorization": "Bearer sk-made-up"}
        async with session.get("/v1/models", headers=key) as reply:
            assert reply.status == 200


async def test_a_body_that_is_no_json_is_a_400():
    """Rubbish gets an error in the engine's own envelope."""
    async with client_of() as (_, session):
        for body in (b"{", b"[]"):
            async with session.post("/v1/chat/completions", data=body) as reply:
                assert reply.status == 400
                assert (await reply.json())["error"]["type"] == "BadRequestError"


async def test_counters_move_with_every_answer():
    """Each answer moves requests and tokens; a tool call moves the parser's counter."""
    async with client_of() as (engine, session):
        await read(session, CHAT, stream=False)
        await read(session, TOOLS, stream=True)
        async with session.get("/metrics") as reply:
            counters = sums(await reply.text())
        assert counters["vllm:request_success_total"] == 2
        assert counters["vllm:generation_tokens_total"] == engine.metrics.iterations_total > 0
        assert counters['vllm:tool_call_parser_invocations_total{outcome="tool_call"}']
        assert counters["vllm:num_requests_running"] == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hung_engine_is_healthy_and_silent(stream: bool):
    """No byte of an answer comes, a stream has its 200; only the load shows the request."""
    async with client_of(EngineFlags(hung=True)) as (engine, session):
        body = {"model": GEMMA, "messages": [{"role": "user", "content": "x"}], "stream": stream}

        async def ask() -> None:
            async with session.post("/v1/chat/completions", json=body) as reply:
                assert (stream, reply.status) == (True, 200)
                headers_came.set()
                await reply.read()

        headers_came = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(ask())
            if stream:
                await headers_came.wait()
            while (await get_json(session, "/load"))["server_load"] == 0:
                pass
            async with session.get("/health") as reply:
                assert reply.status == 200
            assert engine.metrics.iterations_total == 0
            assert engine.metrics.running == 0
            assert not asking.done()
            asking.cancel()
        while engine.metrics.load:
            await asyncio.sleep(0)


async def test_a_restart_keeps_the_address_and_forgets_the_counters():
    """Other flags rule at the same URL; the start time and the counters are new."""
    async with client_of() as (engine, session):
        url = engine.url
        await read(session, CHAT, stream=False)
        await engine.restart(served_model_names=("other",))
        assert (await get_json(session, "/v1/models"))["data"][0]["id"] == "other"
        assert engine.url == url
        assert engine.metrics.iterations_total == 0


async def test_a_restart_breaks_off_what_hangs():
    """Whoever waited for a hung engine is disconnected, and the new start owes nobody anything."""
    async with client_of(EngineFlags(hung=True)) as (engine, session):

        async def ask() -> None:
            with pytest.raises(aiohttp.ClientError):
                await read(session, CHAT, stream=False)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask())
            while engine.metrics.load == 0:
                await asyncio.sleep(0)
            await engine.restart(hung=False)
        assert (engine.metrics.load, engine.metrics.running) == (0, 0)
        assert NONCE in (await read(session, CHAT, stream=False)).text


async def test_a_restart_that_vllm_would_refuse_changes_nothing():
    """Bad flags are an error, and the engine goes on as it was."""
    async with client_of() as (engine, session):
        with pytest.raises(ValueError):
            await engine.restart(tool_call_parser="gemma5")
        assert (await read(session, TOOLS, stream=False)).tool_calls


async def test_an_engine_that_is_down_refuses_connections_until_it_is_up():
    """Nothing listens while it is down; the address is still its own afterwards."""
    async with client_of(EngineFlags(down=True)) as (engine, session):
        with pytest.raises(aiohttp.ClientConnectorError):
            await get_json(session, "/version")
        await engine.restart(down=False)
        assert await get_json(session, "/version")
        await engine.restart(replace(engine.flags, down=True))
        with pytest.raises(aiohttp.ClientConnectorError):
            await get_json(session, "/version")


async def test_it_remembers_what_it_was_asked():
    """Bodies and keys of the last requests can be looked at."""
    async with client_of() as (engine, session):
        headers = {"Authorization": "Bearer sk-made-up"}
        async with session.post("/v1/chat/completions", json={"model": "x"}, headers=headers):
            pass
        seen = engine.seen[-1]
    assert (seen.path, seen.key, seen.status) == ("/v1/chat/completions", "sk-made-up", 404)
    assert seen.body == {"model": "x"}


async def test_an_engine_that_only_chats_knows_no_other_endpoint():
    """As servers that are not vLLM are."""
    async with client_of(EngineFlags(only_chats=True)) as (engine, session):
        statuses = {}
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            body = {"model": engine.flags.served_model_names[0], "messages": [], "input": "x"}
            async with session.post(path, json=body) as reply:
                statuses[path] = reply.status
    assert statuses["/v1/responses"] == statuses["/v1/messages"] == 404
    assert statuses["/v1/chat/completions"] != 404
