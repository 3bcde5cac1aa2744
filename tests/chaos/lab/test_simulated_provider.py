"""The simulated providers answer well in their own languages, and fail as they are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from chaos.errors import UsageError
from chaos.lab.simulated_provider import SimulatedProvider, simulated_provider
from chaos.protocol.conversation import Ask, ToolSpec, Turn
from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.reading import Reading

NONCE = "0badcafe"
TOOL = ToolSpec(
    "get_weather",
    "Tell the weather.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
ASK = Ask(
    turns=(Turn("user", f"Call get_weather for the city {NONCE}."),), tools=(TOOL,), max_tokens=512
)
MODEL = "some-model"
# Dialect, wire format, where LiteLLM calls it below the base URL: whole and streamed.
ENDPOINTS = (
    ("anthropic", "messages", "/v1/messages", "/v1/messages"),
    ("openai", "chat_completions", "/chat/completions", "/chat/completions"),
    ("openai", "responses", "/responses", "/responses"),
    (
        "gemini",
        "generate_content",
        f"/models/{MODEL}:generateContent",
        f"/models/{MODEL}:streamGenerateContent?alt=sse",
    ),
)


@asynccontextmanager
async def client_of() -> AsyncIterator[tuple[SimulatedProvider, aiohttp.ClientSession]]:
    """Run the providers and a client of them."""
    async with simulated_provider() as provider, aiohttp.ClientSession() as session:
        yield provider, session


async def read(
    provider: SimulatedProvider,
    session: aiohttp.ClientSession,
    endpoint: tuple[str, str, str, str] = ENDPOINTS[0],
    *,
    stream: bool = False,
) -> tuple[int, Reading]:
    """Send the question and read the reply strictly."""
    dialect, name, whole_path, stream_path = endpoint
    wire_format = WIRE_FORMATS[name]
    url = provider.base_url(dialect) + (stream_path if stream else whole_path)
    body = dict(wire_format.write_ask(ASK, model=MODEL, stream=stream))
    async with session.post(url, json=body, headers={"x-api-key": "sk-made-up"}) as reply:
        data = await reply.read()
    if not stream or reply.status != 200:
        return reply.status, wire_format.read_reply(reply.status, data)
    reader = wire_format.stream_reader()
    reader.feed(data)
    return reply.status, reader.close()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint[1])
@pytest.mark.parametrize("stream", [False, True])
async def test_every_provider_calls_the_tool(endpoint: tuple[str, str, str, str], stream: bool):
    """A good answer carries the call and the nonce, without a defect."""
    async with client_of() as (provider, session):
        status, reading = await read(provider, session, endpoint, stream=stream)
    assert (status, reading.defects) == (200, ())
    assert [(call.name, NONCE in call.arguments) for call in reading.tool_calls] == [
        ("get_weather", True)
    ]


async def test_embeddings_are_answered():
    """One vector comes back for each text."""
    async with client_of() as (provider, session):
        body = {"model": "text-embedding-3-small", "input": ["one", "two"]}
        url = provider.base_url("openai") + "/embeddings"
        async with session.post(url, json=body) as reply:
            data = await reply.read()
            reading = WIRE_FORMATS["embeddings"].read_reply(reply.status, data)
    assert len(reading.vector_sizes) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_fails_in_its_own_words(stream: bool):
    """Anthropic without money says so with a 400, also to one who wants a stream."""
    async with client_of() as (provider, session):
        provider.fails_with("billing")
        status, reading = await read(provider, session, stream=stream)
    assert status == 400
    assert reading.error is not None
    assert "credit balance is too low" in reading.error.message


async def test_only_whom_it_concerns_fails():
    """A fault of one provider leaves the others alone."""
    async with client_of() as (provider, session):
        provider.fails_with("billing", dialect="anthropic")
        statuses = [(await read(provider, session, endpoint))[0] for endpoint in ENDPOINTS]
    assert statuses == [400, 200, 200, 200]


async def test_the_most_exact_setting_rules():
    """What is said of one model goes before what is said of all."""
    async with client_of() as (provider, session):
        provider.fails_with("server_error")
        provider.fails_with("billing", dialect="anthropic", model=MODEL)
        assert (await read(provider, session))[0] == 400
        assert (await read(provider, session, ENDPOINTS[1]))[0] == 500


async def test_a_model_may_refuse_a_prefill():
    """As newer ones do: whoever goes on with half an answer there gets a 400."""
    async with client_of() as (provider, session):
        provider.refuses_prefill.add(MODEL)
        url = f"{provider.base_url('anthropic')}/v1/messages"
        turns = [{"role": "user", "content": NONCE}, {"role": "assistant", "content": "Half"}]
        for messages, status in ((turns[:1], 200), (turns, 400)):
            body = {"model": MODEL, "max_tokens": 9, "messages": messages}
            async with session.post(url, json=body) as reply:
                assert reply.status == status
                assert ("prefill" in await reply.text()) is (status == 400)


async def test_a_provider_recovers():
    """After recovery the same call is answered well."""
    async with client_of() as (provider, session):
        provider.fails_with("server_error")
        assert (await read(provider, session))[0] == 500
        provider.recovers()
        assert (await read(provider, session))[0] == 200


async def test_a_fault_that_strikes_once_strikes_once_for_each_model():
    """The first attempt at each model fails, the second is answered."""
    async with client_of() as (provider, session):
        provider.fails_with("server_error.once")
        assert [(await read(provider, session))[0] for _ in range(2)] == [500, 200]
        assert (await read(provider, session, ENDPOINTS[1]))[0] == 500


async def test_a_reset_is_real():
    """A connection that is to be reset is, and no reply comes."""
    async with client_of() as (provider, session):
        provider.fails_with("connection_reset")
        with pytest.raises(aiohttp.ClientOSError):
            await read(provider, session)


async def test_a_fault_of_streams_leaves_whole_answers_alone():
    """Who wanted no stream is answered well while streams break."""
    async with client_of() as (provider, session):
        provider.fails_with("stream_cut")
        status, reading = await read(provider, session)
        assert (status, reading.defects) == (200, ())
        with pytest.raises(aiohttp.ClientError):
            await read(provider, session, stream=True)
    assert [seen.fault for seen in provider.seen] == [None, "stream_cut"]


@pytest.mark.parametrize("said", [{"fault": "biling"}, {"fault": "billing", "dialect": "antropic"}])
async def test_an_unknown_name_is_refused(said: dict[str, str]):
    """A typing error is told at once, with what was probably meant."""
    async with client_of() as (provider, _):
        with pytest.raises(UsageError) as told:
            provider.fails_with(**said)
    assert "Did you mean" in told.value.remedy


async def test_an_unknown_address_is_a_404():
    """What no provider answers is no good answer."""
    async with client_of() as (provider, session):
        for path in ("/nobody/v1/messages", "/anthropic/v1/nothing", "/anthropic/"):
            async with session.post(str(provider.url) + path, json={"model": "m"}) as reply:
                assert reply.status == 404


async def test_it_remembers_who_called_with_what():
    """Key, model, body and fault of each call can be looked at, and are counted."""
    async with client_of() as (provider, session):
        provider.fails_with("billing")
        await read(provider, session)
    seen = provider.seen[-1]
    assert (seen.dialect, seen.model, seen.key, seen.fault, seen.stream) == (
        "anthropic",
        MODEL,
        "sk-made-up",
        "billing",
        False,
    )
    assert seen.body["max_tokens"] == 512
    assert provider.calls_total == {("anthropic", MODEL): 1}
