"""The simulated Ollama as a client meets it."""

import aiohttp
import pytest

from chaos.lab.simulated_ollama import (
    GENERATES,
    OllamaFlags,
    SimulatedOllama,
    answer_of,
    cut_to,
)
from chaos.protocol.conversation import Ask, Finish, Turn
from chaos.protocol.formats import WIRE_FORMATS
from chaos.traffic.shapes import SHAPES
from tests.fakes.examples import WEATHER

NONCE = "0badcafe"
CHAT = Ask(turns=(Turn("user", f"Say {NONCE}."),), max_tokens=512)
TOOLS = Ask(
    turns=(Turn("user", f'Call get_weather with {{"city": "{NONCE}"}}.'),), tools=(WEATHER,)
)
PATHS = {name: path for path, name in GENERATES.items()}
LONG = SHAPES["long_context"].task(NONCE, max_tokens=512).ask


async def ask_for(spoken, ask, flags=None, *, stream=False, model="llama3.2"):
    """Ask an Ollama, and read its reply strictly; tells also what it has seen."""
    wire_format = WIRE_FORMATS[spoken]
    async with SimulatedOllama(flags) as ollama, aiohttp.ClientSession() as session:
        body = dict(wire_format.write_ask(ask, model=model, stream=stream))
        async with session.post(ollama.base_url + PATHS[spoken], json=body) as reply:
            data = await reply.read()
        if not stream or reply.status != 200:
            return wire_format.read_reply(reply.status, data), ollama.seen[-1]
        reader = wire_format.stream_reader()
        reader.feed(data)
        return reader.close(), ollama.seen[-1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("spoken", ["ollama_chat", "ollama_generate"])
async def test_it_answers_and_calls(spoken, stream):
    """Both of its APIs, whole and streamed, without a defect."""
    reading, _ = await ask_for(spoken, CHAT, stream=stream)
    assert (NONCE in reading.text, reading.finish, reading.defects) == (True, Finish.STOP, ())
    reading, _ = await ask_for(spoken, TOOLS, stream=stream)
    assert [call.name for call in reading.tool_calls] == ["get_weather"]
    assert reading.defects == ()


async def test_it_embeds():
    """A vector for each text."""
    reading, _ = await ask_for("ollama_embeddings", Ask(inputs=("a", "b")))
    assert len(reading.vectors) == 2


async def test_a_prompt_that_is_too_long_is_cut_without_a_word():
    """Status 200, an answer that ended well, and a needle that nobody saw; only usage shows it."""
    reading, seen = await ask_for("ollama_chat", LONG, OllamaFlags(num_ctx=4096))
    assert NONCE not in reading.text
    assert (reading.error, reading.finish, seen.status) == (None, Finish.STOP, 200)
    assert reading.usage is not None
    assert reading.usage.input_tokens == 2048
    assert seen.cut > 2048
    reading, seen = await ask_for("ollama_chat", LONG)
    assert (NONCE in reading.text, seen.cut) == (True, 0)


def test_old_turns_go_first_and_the_systems_stays():
    """As long as the last one fits, it is whole."""
    turns = (Turn("system", "s" * 40), Turn("user", "a" * 400), Turn("user", "b" * 40))
    assert [turn.text[0] for turn in cut_to(Ask(turns=turns), 50).turns] == ["s", "b"]
    assert cut_to(Ask(turns=turns), 500).turns == turns


def test_a_request_may_name_another_context():
    """options.num_ctx is the remedy, and LiteLLM hands it on."""
    small, cut = answer_of(LONG, {}, 1024)
    assert (NONCE in small.text, cut > 0) == (False, True)


async def test_the_context_of_the_request_counts():
    """It is larger than the server's own."""
    wire_format = WIRE_FORMATS["ollama_chat"]
    body = dict(wire_format.write_ask(LONG, model="llama3.2", stream=False))
    body["options"] = {"num_ctx": 16_384}
    async with (
        SimulatedOllama(OllamaFlags(num_ctx=2048)) as ollama,
        aiohttp.ClientSession() as session,
        session.post(f"{ollama.base_url}/api/chat", json=body) as reply,
    ):
        assert NONCE in await reply.text()


@pytest.mark.parametrize(
    ("ask", "flags", "model", "status", "words"),
    [
        (CHAT, None, "gemma", 404, "model 'gemma' not found, try pulling it first"),
        (TOOLS, OllamaFlags(supports_tools=False), "llama3.2", 400, "does not support tools"),
    ],
)
async def test_it_refuses_in_ollamas_words(ask, flags, model, status, words):
    """A model that was never pulled, and tools that its template has no place for."""
    reading, seen = await ask_for("ollama_chat", ask, flags, model=model)
    assert reading.error is not None
    assert (seen.status, words in reading.error.message) == (status, True)


async def test_json_is_all_that_the_format_json_allows():
    """A model that would rather talk has to talk in JSON."""
    ask = Ask(turns=(Turn("user", f"Say {NONCE}."),), tools=(WEATHER,))
    reading, _ = await ask_for("ollama_generate", ask)
    assert reading.text.startswith('{"response": ')


async def test_limits_are_kept():
    """num_predict ends the answer, and the reply says so."""
    ask = Ask(turns=CHAT.turns, max_tokens=2)
    reading, _ = await ask_for("ollama_chat", ask)
    assert (len(reading.text), reading.finish) == (8, Finish.LENGTH)


async def test_what_it_is_asked_about_itself():
    """Its root, its models, a model's own limit; a body that is no JSON is refused."""
    async with SimulatedOllama() as ollama, aiohttp.ClientSession(ollama.base_url) as session:
        async with session.get("/") as reply:
            assert await reply.text() == "Ollama is running"
        async with session.get("/api/tags") as reply:
            assert (await reply.json())["models"][0]["name"] == "llama3.2:latest"
        async with session.post("/api/show", json={"name": "llama3.2"}) as reply:
            assert "Tools" in (await reply.json())["template"]
        async with session.post("/api/show", json={"name": "gemma"}) as reply:
            assert reply.status == 404
        async with session.post("/api/chat", data=b"no") as reply:
            assert reply.status == 400
