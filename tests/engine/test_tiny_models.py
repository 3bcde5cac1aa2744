"""The tiny models answer what drills ask, through the parsers of a real vLLM."""

import json
import random
import re

import pytest
import pytest_asyncio

from chaos.lab.engine_flags import GEMMA
from chaos.lab.vllm_engine import MODEL_OF, MODELS
from chaos.protocol.formats import WIRE_FORMATS
from chaos.traffic.shapes import SHAPES
from tests.engine.stage import QWEN

NAMES = {"gemma": GEMMA, "hermes": QWEN}
MOST_BYTES = 1_500_000
TIMES = 5


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def well(stage):
    """Both engines are well."""
    await stage.engines()


def nonces():
    """Draw nonces that the models have not seen; the same in each run."""
    chance = random.Random("unseen")
    return ["".join(chance.choices("0123456789abcdef", k=8)) for _ in range(TIMES)]


async def ask(stage, name, ask, *, stream=False, **more):
    """Ask an engine directly; the reading of what it answers."""
    surface = WIRE_FORMATS["chat_completions"]
    body = {**surface.write_ask(ask, model=NAMES[name], stream=stream), **more}
    engine = getattr(stage, name)
    async with stage.session.post(f"{engine.base_url}/chat/completions", json=body) as reply:
        raw = await reply.read()
        assert reply.status == 200, raw
    if not stream:
        return surface.read_reply(200, raw)
    reader = surface.stream_reader()
    reader.feed(raw)
    return reader.close()


def calls_of(reading):
    """The calls, without their ids."""
    return [(call.name, json.loads(call.arguments)) for call in reading.tool_calls]


@pytest.mark.parametrize("family", MODEL_OF.values())
def test_a_model_is_small_and_whole(family):
    """Each model is one safetensors file of at most 1.5 MB, with its template and tokenizer."""
    folder = MODELS / family
    weights = list(folder.glob("*.safetensors"))
    assert len(weights) == 1
    assert 0 < weights[0].stat().st_size <= MOST_BYTES
    assert (folder / "chat_template.jinja").is_file()
    assert (folder / "tokenizer.json").is_file()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    "shape", ["tool_call", "tool_call_required", "parallel_tool_calls", "agent"]
)
async def test_calls_carry_unseen_nonces(stage, name, shape, stream):
    """The demanded calls come with exactly the demanded arguments, whatever the nonce is."""
    for nonce in nonces():
        task = SHAPES[shape].task(nonce, max_tokens=512)
        came = calls_of(await ask(stage, name, task.ask, stream=stream))
        assert came == [(call.name, dict(call.arguments)) for call in task.expect.calls]


@pytest.mark.parametrize("name", NAMES)
async def test_a_named_call_is_made(stage, name):
    """A request that names its tool gets the call of that tool."""
    task = SHAPES["parallel_tool_calls"].task("0badcafe", max_tokens=512)
    choice = {"type": "function", "function": {"name": "record_note"}}
    came = calls_of(await ask(stage, name, task.ask, tool_choice=choice))
    assert ("record_note", {"note": "0badcafe", "count": 3}) in came


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", ["chat", "tool_result"])
async def test_text_carries_unseen_nonces(stage, name, shape):
    """Plain answers, and those after a tool's result, repeat the nonce and call nothing."""
    for nonce in nonces():
        reading = await ask(stage, name, SHAPES[shape].task(nonce, max_tokens=512).ask)
        assert nonce in reading.text
        assert reading.tool_calls == ()


@pytest.mark.parametrize("name", NAMES)
async def test_structured_output_fits_its_schema(stage, name):
    """The answer is the JSON that the prompt asks for."""
    for nonce in nonces():
        task = SHAPES["structured_output"].task(nonce, max_tokens=512)
        reading = await ask(stage, name, task.ask)
        assert json.loads(reading.text) == dict(task.expect.schema_values)


@pytest.mark.parametrize("name", NAMES)
async def test_thoughts_come_apart_from_the_answer(stage, name):
    """A thought is in ``reasoning``, none of it in the text; no thought if none is wanted."""
    chat = SHAPES["chat"].task("0badcafe", max_tokens=512).ask
    thinking = await ask(stage, name, chat)
    assert "What was asked for is clear" in thinking.reasoning
    assert not re.search(r"think|channel|clear", thinking.text)
    brief = await ask(stage, name, chat, chat_template_kwargs={"enable_thinking": False})
    assert brief.reasoning == ""
    assert "0badcafe" in brief.text
