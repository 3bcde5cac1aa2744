"""What every wire format keeps, whoever wrote it."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.protocol.conversation import Answer, Ask, Finish, ToolSpec, Turn
from chaos.protocol.format import PieceKind, WireFormat
from chaos.protocol.formats import WIRE_FORMATS
from tests.fakes.examples import CALL, OTHER_CALL, SCHEMA, WEATHER, cut, split_places

FORMATS = list(WIRE_FORMATS.values())
NAMES = list(WIRE_FORMATS)
EMBEDDING = [form for form in FORMATS if "embed" in form.name]
CHATTING = [form for form in FORMATS if form not in EMBEDDING]
PROMPTED = {"text_completions", "codestral_fim"}  # one text asked, and nothing else
ONE_TEXT = {"ollama_generate", "text_completions"}  # a call is text, so there is no place for two
CALLING = [form for form in CHATTING if form.name not in ONE_TEXT]
ASKING = [form for form in CHATTING if form.name not in PROMPTED]
NONCE = "1f2e3d4c"

every = pytest.mark.parametrize("form", FORMATS, ids=NAMES)
every_chat = pytest.mark.parametrize("form", CHATTING, ids=[form.name for form in CHATTING])
every_calling = pytest.mark.parametrize("form", CALLING, ids=[form.name for form in CALLING])
every_ask = pytest.mark.parametrize("form", ASKING, ids=[form.name for form in ASKING])
every_prompt = pytest.mark.parametrize("form", [WIRE_FORMATS[name] for name in sorted(PROMPTED)])
every_embedding = pytest.mark.parametrize("form", EMBEDDING, ids=[form.name for form in EMBEDDING])
streamed_or_not = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
fuzz = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(form: WireFormat, answer: Answer, *, stream: bool, places: list[int]):
    """Write *answer* and read it again, cut at *places* where it streams."""
    pieces = form.write_answer(answer, model="m", stream=stream)
    data = b"".join(piece.data for piece in pieces)
    if not stream:
        return form.read_reply(200, data)
    reader = form.stream_reader()
    for part in cut(data, places):
        reader.feed(part)
    return reader.close()


def test_every_format_is_listed_by_its_own_name():
    """What people type is what the format calls itself."""
    assert [form.name for form in FORMATS] == NAMES
    assert {"chat_completions", "embeddings"} <= set(NAMES)


@every_chat
@streamed_or_not
@fuzz
@given(places=split_places)
def test_a_text_comes_back(form, stream, places):
    """Text, finish and usage of an answer are read as they were written."""
    reading = read(form, Answer(text=f"It is {NONCE}, 😀."), stream=stream, places=places)
    assert (f"It is {NONCE}, 😀.", Finish.STOP, None) == (
        reading.text,
        reading.finish,
        reading.error,
    )
    assert (reading.defects, reading.ended, reading.tool_calls) == ((), True, ())
    assert reading.usage is not None
    assert (reading.usage.input_tokens, reading.usage.output_tokens) == (12, 8)


@every_calling
@streamed_or_not
@fuzz
@given(places=split_places)
def test_tool_calls_come_back(form, stream, places):
    """Calls keep their order, names and arguments, and have ids."""
    answer = Answer(tool_calls=(CALL, OTHER_CALL), finish=Finish.TOOL_CALLS)
    reading = read(form, answer, stream=stream, places=places)
    assert [(call.name, json.loads(call.arguments)) for call in answer.tool_calls] == [
        (call.name, json.loads(call.arguments)) for call in reading.tool_calls
    ]
    assert (reading.finish, reading.defects) == (Finish.TOOL_CALLS, ())


@every_chat
def test_a_stream_begins_and_ends_and_can_be_cut_between(form):
    """Faults find text in at least four pieces, and a start before them."""
    answer = Answer(text=f"The answer to all of it is {NONCE}.")
    kinds = [piece.kind for piece in form.write_answer(answer, model="m", stream=True)]
    assert kinds.count(PieceKind.CONTENT) >= 4
    assert PieceKind.FINISH in kinds[kinds.index(PieceKind.CONTENT) :]


@every_chat
@fuzz
@given(keep=st.floats(0, 0.99))
def test_a_stream_cut_short_is_never_read_as_whole(form, keep):
    """A stream that lacks its last bytes has a defect, wherever it was cut."""
    pieces = form.write_answer(Answer(text="The whole of it."), model="m", stream=True)
    data = b"".join(piece.data for piece in pieces)
    # The last bytes may only be the blank line that every client still waits for.
    cut_at = min(int(len(data) * keep), len(data) - 1)
    reader = form.stream_reader()
    reader.feed(data[:cut_at])
    assert reader.close().defects


@every_prompt
def test_a_prompt_comes_back(form):
    """Text and limits survive the wire; for the rest there is no place."""
    ask = Ask(turns=(Turn("user", f"The weather? {NONCE}"),), max_tokens=512, temperature=0.0)
    back = form.read_ask(json.loads(json.dumps(form.write_ask(ask, model="m", stream=True))))
    assert (ask.turns, ask.max_tokens, ask.temperature) == (
        back.turns,
        back.max_tokens,
        back.temperature,
    )


@every_ask
def test_a_request_comes_back(form):
    """Turns, tools and limits survive the wire."""
    ask = Ask(
        turns=(
            Turn("system", "Be brief."),
            Turn("user", f"The weather? {NONCE}"),
            Turn("assistant", tool_calls=(CALL,)),
            Turn("tool", f"21 degrees {NONCE}", tool_call_id="call_1"),
        ),
        tools=(WEATHER, ToolSpec("get_time", "Tell the time.", SCHEMA)),
        max_tokens=512,
    )
    body = json.loads(json.dumps(form.write_ask(ask, model="m", stream=False)))
    back = form.read_ask(body)
    assert (ask.text, ask.tools, ask.max_tokens) == (back.text, back.tools, back.max_tokens)
    assert [call.name for turn in back.turns for call in turn.tool_calls] == ["get_weather"]


@every_embedding
def test_embeddings_come_back(form):
    """Vectors have their sizes, and a request its text."""
    reading = read(form, Answer(vectors=((0.5, 1.0, -1.0),)), stream=False, places=[])
    assert (reading.vector_sizes, reading.defects) == ((3,), ())
    body = json.loads(json.dumps(form.write_ask(Ask(inputs=(NONCE,)), model="m", stream=False)))
    assert form.read_ask(body).inputs == (NONCE,)


@every
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"<html>Bad gateway</html>", b'{"error": "no"}', b"\xff\x00"],
)
def test_a_failing_status_is_an_error(form, body):
    """Whatever comes with a status of 500, it is an error and no output."""
    reading = form.read_reply(500, body)
    assert reading.error is not None
    assert not reading.has_output


@every
@fuzz
@given(data=st.binary(max_size=100), places=split_places, status=st.integers(200, 599))
def test_no_bytes_make_a_reader_raise(form, data, places, status):
    """Any bytes in any split give a reading, streamed or whole."""
    reader = form.stream_reader()
    for part in cut(data, places):
        reader.feed(part)
    assert not reader.close().text
    assert not form.read_reply(status, data).has_output


json_bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "input", "tools", "contents", "content", "role", "system", "type"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@every
@fuzz
@given(
    body=st.dictionaries(st.sampled_from(["messages", "input", "tools", "contents"]), json_bodies)
)
def test_no_request_makes_a_reader_raise(form, body):
    """A gateway's request of any shape gives an ask."""
    assert isinstance(form.read_ask(body), Ask)
