"""What every traffic shape keeps."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.reading import Reading
from chaos.protocol.stand_in import compose
from chaos.protocol.surfaces import SURFACES
from chaos.traffic.shape import ClientProfile
from chaos.traffic.shapes import SHAPES
from tests.fakes.expectations import misses

CONTRACT = [
    "chat",
    "tool_call",
    "tool_call_required",
    "parallel_tool_calls",
    "tool_result",
    "structured_output",
    "long_context",
    "agent",
    "image",
    "embedding",
]
NONCES = ("3fa91c02", "12345678", "deadbeef", "lamp-river-stone-apple")
ONE_AT_A_TIME = "gemini_embed_content"
"""It joins all texts into one embedding."""

every = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
every_format = pytest.mark.parametrize("spoken", WIRE_FORMATS.values(), ids=WIRE_FORMATS)
every_nonce = pytest.mark.parametrize("nonce", NONCES)


def task_of(shape, nonce="3fa91c02", **options):
    """Make a task of *shape*."""
    return shape.task(nonce, max_tokens=512, **options)


def answered(ask):
    """Read the stand-in's answer without any format."""
    answer = compose(ask)
    return Reading(text=answer.text, tool_calls=answer.tool_calls, vectors=answer.vectors)


def test_there_are_the_shapes_of_the_contract():
    """The contract names ten, in this order."""
    assert list(SHAPES) == CONTRACT


@every
def test_a_shape_is_listed_by_its_name_and_exists_somewhere(shape):
    """The summary is one sentence, and its surfaces are listed ones."""
    assert SHAPES[shape.name] is shape
    assert shape.summary.endswith(".")
    assert shape.surfaces
    assert shape.surfaces <= SURFACES.keys()


@every
@every_nonce
def test_the_nonce_is_in_the_request(shape, nonce):
    """Without it the witness would not let the request through, unchanged by JSON escaping."""
    ask = task_of(shape, nonce).ask
    assert nonce in ask.text
    for name in shape.surfaces:
        body = SURFACES[name].format.write_ask(ask, model="m", stream=False)
        assert nonce in json.dumps(body)


@every
def test_a_task_is_the_same_every_time(shape):
    """A drill can be replayed from its nonce."""
    assert task_of(shape) == task_of(shape)
    assert task_of(shape) != task_of(shape, "00c0ffee")


@every
@every_nonce
def test_a_willing_provider_meets_the_expectation(shape, nonce):
    """The prompt says all that the expectation asks for: the stand-in knows nothing else."""
    task = task_of(shape, nonce)
    assert misses(task.expect, answered(task.ask), nonce) == []


@every
def test_an_answer_to_another_nonce_misses(shape):
    """The expectation holds the nonce, so that a cached answer shows."""
    task, other = task_of(shape), task_of(shape, "00c0ffee")
    if task.expect.vectors:
        return
    assert misses(task.expect, answered(other.ask), "3fa91c02")


@every
def test_an_empty_answer_misses(shape):
    """No expectation is met by nothing."""
    task = task_of(shape)
    nothing = Reading(text="{}" if task.expect.schema else "")
    if task.expect.schema:
        nothing = replace(nothing, text='{"token": "", "count": 0, "status": "ready"}')
    assert misses(task.expect, nothing, "3fa91c02")


PROMPTED = {"text_completions", "codestral_fim"}
"""Formats of one prompt, with no place for tools, schemas, pictures, or several turns."""


def has_no_place(spoken, task) -> bool:
    """Tell whether *spoken* cannot carry *task* at all, which LiteLLM refuses or loses."""
    ask, expect = task.ask, task.expect
    if spoken.name in PROMPTED:
        return bool(ask.tools or ask.response_schema or expect.words) or len(ask.turns) > 1
    return spoken.name == "ollama_generate" and len(expect.calls) > 1


@every
@every_format
@pytest.mark.parametrize("stream", [True, False])
def test_every_format_carries_request_and_answer(shape, spoken, stream):
    """Asked, read, answered and read again in one format, the expectation is still met."""
    task = task_of(shape)
    if bool(task.ask.inputs) != ("embed" in spoken.name) or spoken.name == ONE_AT_A_TIME:
        return
    if (task.ask.inputs and stream) or has_no_place(spoken, task):
        return
    body = json.loads(json.dumps(spoken.write_ask(task.ask, model="m", stream=stream)))
    answer = compose(spoken.read_ask(body))
    data = b"".join(p.data for p in spoken.write_answer(answer, model="m", stream=stream))
    if stream:
        reader = spoken.stream_reader()
        reader.feed(data)
        reading = reader.close()
    else:
        reading = spoken.read_reply(200, data)
    assert reading.defects == ()
    calls = tuple(
        replace(call, id=call.id or f"id{place}") for place, call in enumerate(reading.tool_calls)
    )
    assert misses(task.expect, replace(reading, tool_calls=calls), "3fa91c02") == []


@every
def test_traits_say_what_the_task_is(shape):
    """Tools, pictures and vectors are in the request exactly where the traits say so."""
    task = task_of(shape)
    assert shape.needs_tools == bool(task.ask.tools)
    assert ("embeddings" in shape.surfaces) == bool(task.ask.inputs)
    assert any(turn.images for turn in task.ask.turns) == bool(task.expect.words)
    assert shape.long == (len(task.ask.text) > 10_000 and not task.ask.tools)


@every
def test_every_schema_is_one(shape):
    """Schemas of tools and answers are valid, and the demanded arguments fit them."""
    task = task_of(shape)
    schemas = [tool.parameters for tool in task.ask.tools]
    if task.ask.response_schema:
        schemas.append(task.ask.response_schema.schema)
    for schema in schemas:
        Draft202012Validator.check_schema(dict(schema))
    for call in task.expect.calls:
        assert call.name in {tool.name for tool in task.ask.tools}
        assert not list(Draft202012Validator(dict(call.schema)).iter_errors(call.arguments))


@every
def test_only_the_agent_heeds_a_profile(shape):
    """A profile says how a user's agents ask; other shapes stay comparable."""
    profile = ClientProfile(system="Be brief.", parameters={"top_p": 0.5})
    assert (task_of(shape, profile=profile) == task_of(shape)) == (shape.name != "agent")


@every
def test_the_answer_may_be_as_long_as_the_drill_says(shape):
    """``max_tokens`` is handed on, where an answer has a length and the shape no own idea of it."""
    assert task_of(shape).ask.max_tokens == {"agent": 32_000, "embedding": None}.get(
        shape.name, 512
    )
