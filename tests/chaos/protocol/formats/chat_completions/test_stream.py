"""Streams of chat completions, read strictly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.chat_completions.stream import ChatCompletionsStream
from chaos.protocol.reading import Defect, Reading, Usage
from tests.fakes.examples import cut, replies, split_places

DONE = "[DONE]"
ENDING = {Defect.NO_FINISH, Defect.NO_TERMINATOR}


def chunk(delta=None, finish=None, reply_id="a", **other):
    """Write one chunk of a stream."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": reply_id, "model": "m", "choices": [choice]} | other


def begin(index=0, call_id="c1", name="f", arguments=""):
    """Write the fragment that begins a tool call."""
    call = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return chunk({"tool_calls": [call]})


def more(arguments, index=0):
    """Write a fragment that goes on with a tool call."""
    return chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]})


ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "Hello"})
STOP = chunk(finish="stop")
USAGE = {"id": "a", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
ERROR = {"error": {"message": "m", "type": "t", "param": None, "code": "500"}}


def stream(*events) -> bytes:
    """Write events, JSON or text."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def read(data: bytes) -> Reading:
    """Read *data* in one piece."""
    reader = ChatCompletionsStream()
    reader.feed(data)
    return reader.close()


def defects(*events) -> set[Defect]:
    """Tell what is wrong with a stream of these events."""
    return {found.defect for found in read(stream(*events)).defects}


@pytest.mark.parametrize(
    "events",
    [
        (ROLE, TEXT, STOP, USAGE, DONE),
        (TEXT, chunk({"content": "!"}, "stop"), DONE),
        # The role on every chunk, the last ones too, as OpenRouter sends it.
        (
            chunk({"role": "assistant", "content": "a"}),
            chunk({"role": "assistant", "content": "b"}),
            chunk({"role": "assistant", "content": ""}, "stop"),
            chunk({"role": "assistant", "content": ""}, usage=USAGE["usage"]),
            DONE,
        ),
        # A role once more with the usage, after the end.
        (ROLE, TEXT, STOP, chunk({"role": "assistant", "content": ""}), USAGE, DONE),
        # LiteLLM's usage comes with choices.
        (ROLE, TEXT, STOP, chunk(usage=USAGE["usage"]), DONE),
        # Only usage, no choices at all.
        (ROLE, TEXT, STOP, {"usage": USAGE["usage"]}, DONE),
        # Azure tells of its filter before, and without an id.
        (
            {"id": "", "model": "", "choices": [], "prompt_filter_results": []},
            ROLE,
            TEXT,
            STOP,
            DONE,
        ),
        # LiteLLM's story of its fallbacks has an id of its own.
        (ROLE, TEXT, STOP, {"id": "litellm-fallback-metadata", "choices": []}, DONE),
        # A fallback after a role chunk without output, as LiteLLM does it.
        (ROLE, chunk({"role": "assistant", "content": "Hello"}, None, "b"), STOP, DONE),
        (ROLE, begin(), more('{"a"'), more(": 1}"), begin(1, "c2"), more("{}", 1), STOP, DONE),
    ],
)
def test_a_stream_of_good_form_has_no_defect(events):
    """What real servers send in order is in order."""
    assert defects(*events) == set()


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), {Defect.NO_START, *ENDING}),
        ((DONE,), {Defect.NO_START, Defect.NO_FINISH}),
        ((STOP, DONE), {Defect.NO_START}),
        ((ROLE, TEXT, DONE), {Defect.NO_FINISH}),
        ((ROLE, TEXT, STOP), {Defect.NO_TERMINATOR}),
        ((ROLE, TEXT), ENDING),
        ((ROLE, TEXT, STOP, TEXT, DONE), {Defect.AFTER_END}),
        ((ROLE, TEXT, STOP, DONE, TEXT), {Defect.AFTER_END}),
        ((ROLE, TEXT, STOP, DONE, DONE), set()),
        ((ROLE, TEXT, ERROR, TEXT, DONE), {Defect.AFTER_END}),
        ((ROLE, TEXT, ROLE, TEXT, STOP, DONE), {Defect.SECOND_START}),
        ((ROLE, TEXT, chunk({"content": "x"}, None, "b"), STOP, DONE), {Defect.SECOND_START}),
        (
            (ROLE, begin(), chunk({"role": "assistant"}, None, "b"), STOP, DONE),
            {Defect.SECOND_START},
        ),
        ((ROLE, TEXT, "oops", STOP, DONE), {Defect.EVENT_NOT_JSON}),
        ((ROLE, TEXT, "", STOP, DONE), {Defect.EVENT_NOT_JSON}),
        ((ROLE, TEXT, "[1]", STOP, DONE), {Defect.NOT_AN_OBJECT}),
        ((ROLE, TEXT, {"id": "a"}, STOP, DONE), {Defect.NO_OUTPUT_FIELD}),
        ((ROLE, TEXT, {"choices": {}}, STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, {"id": "a", "choices": [1]}, STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, {"id": "a", "choices": [{"index": 0}]}, STOP, DONE), {Defect.WRONG_SHAPE}),
        (
            (ROLE, {"id": "a", "choices": [{"index": 1, "delta": {}}]}, STOP, DONE),
            {Defect.WRONG_SHAPE},
        ),
        ((chunk({"content": "x"}, None, None), STOP, DONE), {Defect.NO_ID}),
        ((chunk({"role": "user", "content": "x"}), STOP, DONE), {Defect.WRONG_SHAPE}),
        ((chunk({"content": 7}), TEXT, STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, begin(1), STOP, DONE), {Defect.INDEX_GAP}),
        ((ROLE, begin(), begin(2, "c2"), STOP, DONE), {Defect.INDEX_GAP}),
        ((ROLE, more("{}"), STOP, DONE), {Defect.ORPHAN_FRAGMENT}),
        ((ROLE, begin(), more("{}", 1), STOP, DONE), {Defect.ORPHAN_FRAGMENT}),
        ((ROLE, begin(call_id=None), more("{}"), STOP, DONE), {Defect.MISSING_CALL_ID}),
        ((ROLE, begin(name=None), more("{}"), STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, begin(), begin(call_id="c2"), STOP, DONE), {Defect.SHARED_INDEX}),
        ((ROLE, begin(), begin(name="g"), STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, begin(index=None), STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, chunk({"tool_calls": {}}), STOP, DONE), {Defect.WRONG_SHAPE}),
        ((ROLE, more({"a": 1}), STOP, DONE), {Defect.ORPHAN_FRAGMENT}),
        ((ROLE, begin(), more({"a": 1}), STOP, DONE), {Defect.WRONG_SHAPE}),
    ],
)
def test_a_broken_stream_has_the_defect_by_name(events, expected):
    """Each way to break a stream is told, and nothing else with it."""
    assert defects(*events) == expected


@given(split_places)
def test_a_stream_is_read_whole_whatever_the_split(places):
    """Text, reasoning, refusal, calls and usage are put together in order."""
    reader = ChatCompletionsStream()
    data = stream(
        ROLE,
        chunk({"reasoning": "Let me "}),
        chunk({"reasoning_content": "think"}),
        TEXT,
        chunk({"content": " wörld"}),
        chunk({"refusal": "No"}),
        begin(),
        more('{"a"'),
        begin(1, "c2", "g"),
        more(": 1}"),
        more("{}", 1),
        chunk(finish="tool_calls", system_fingerprint="vllm-1"),
        USAGE,
        DONE,
    )
    for part in cut(data, places):
        reader.feed(part)
    assert reader.close() == Reading(
        text="Hello wörld",
        reasoning="Let me think",
        refusal="No",
        tool_calls=(ToolCall("c1", "f", '{"a": 1}'), ToolCall("c2", "g", "{}")),
        finish=Finish.TOOL_CALLS,
        ids=("a",),
        models=("m",),
        usage=Usage(3, 4),
        ended=True,
        starts=1,
        fingerprint="vllm-1",
    )


def test_two_answers_in_one_are_two_starts():
    """A second answer after output shows in ids, starts and calls of its own."""
    second = chunk({"role": "assistant", "content": "x"}, None, "b", model="n")
    again = begin(0, "c1") | {"id": "b"}
    reading = read(stream(ROLE, begin(), second, again, STOP, DONE))
    assert (reading.ids, reading.starts, reading.models) == (("a", "b"), 2, ("m", "n"))
    assert [call.id for call in reading.tool_calls] == ["c1", "c1"]


@pytest.mark.parametrize(
    ("delta", "begun"),
    [
        ({"role": "assistant", "content": ""}, False),
        ({"content": "x"}, True),
        ({"reasoning": "x"}, True),
        ({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}, True),
    ],
)
def test_the_first_token_is_seen_when_it_comes(delta, begun):
    """A role alone is no output; the first text, reasoning or call is."""
    reader = ChatCompletionsStream()
    assert not reader.has_output
    reader.feed(stream(chunk(delta)))
    assert reader.has_output is begun


def test_the_last_usage_counts():
    """Tokens are counted on some streams with every chunk, and never uncounted again."""
    counted = USAGE | {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    assert read(stream(ROLE, counted, TEXT, USAGE, STOP, DONE)).usage == Usage(3, 4)


def test_an_error_ends_a_stream_honestly():
    """After an error no finish and no [DONE] are missed, and what came before stays."""
    reading = read(stream(ROLE, TEXT, ERROR))
    assert reading.error is not None
    assert (reading.text, reading.defects, reading.ended) == ("Hello", (), False)
    assert (
        reading.error.in_band,
        reading.error.well_formed,
        reading.error.status,
    ) == (True, True, 500)


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"error": "Unauthorized"}\n\n',
        b'event: error\ndata: {"message": "m"}\n\n',
        b'data: {"id": "a", "choices": [{"index": 0, "delta": {}, "error": {"message": "m"}}]}\n\n',
        stream(chunk(finish="error")),
    ],
)
def test_an_error_in_another_envelope_is_not_well_formed(event):
    """An error that a client's library cannot take apart is still an error."""
    error = read(stream(ROLE, TEXT) + event).error
    assert error is not None
    assert (error.well_formed, error.in_band) == (False, True)


def test_the_first_of_two_errors_counts():
    """What failed first is what failed."""
    other = {"error": ERROR["error"] | {"message": "second"}}
    error = read(stream(ERROR, other)).error
    assert error is not None
    assert error.message == "m"


@pytest.mark.parametrize("tail", [b"data: [DONE]", b"data: [DONE]\n"])
def test_a_last_line_without_its_blank_one_ends_the_stream(tail):
    """Nothing was still to come, and no client misses anything."""
    assert defects(ROLE, TEXT, STOP, DONE) == set()
    assert read(stream(ROLE, TEXT, STOP) + tail).defects == ()


@pytest.mark.parametrize("tail", [b'data: {"id": "a"', b'data: {"id": "a", "cho'])
def test_an_event_whose_end_never_came_is_truncated(tail):
    """A client drops an event without its blank line, be it the last one."""
    reading = read(stream(ROLE, TEXT, STOP) + tail)
    assert {Defect.TRUNCATED_EVENT, Defect.NO_TERMINATOR} == {
        found.defect for found in reading.defects
    }


def test_a_cut_inside_the_first_event_is_truncated_too():
    """The beginning of an event is not taken for another kind of body."""
    reading = read(b'data: {"id": "a"')
    assert reading.has(Defect.TRUNCATED_EVENT)
    assert not reading.has(Defect.WRONG_SHAPE)


@pytest.mark.parametrize(
    "body",
    [b"<html>\n\n<body>oops</body></html>", b'{"id": "a", "choices": []}', b"Internal error\n\n"],
)
def test_a_body_that_is_no_event_stream_is_told(body):
    """JSON or a page in answer to a stream request gives a client nothing."""
    reading = read(body)
    assert reading.has(Defect.WRONG_SHAPE)
    assert (reading.has_output, reading.error) == (False, None)


def test_an_error_body_in_place_of_a_stream_is_an_error():
    """JSON with an error and status 200 is an error in band, in no event."""
    reading = read(json.dumps(ERROR, indent=1).encode())
    assert reading.error is not None
    assert (reading.error.in_band, reading.has(Defect.WRONG_SHAPE)) == (True, True)


def test_keep_alives_are_no_output():
    """A stream of comments only has not begun."""
    reading = read(b": ping\n\n" * 3)
    assert {Defect.NO_START, *ENDING} == {found.defect for found in reading.defects}


def test_an_event_of_another_format_is_unknown():
    """Named events do not exist here."""
    reading = read(b'event: message_stop\ndata: {"type": "message_stop"}\n\n' + stream(ROLE))
    assert reading.has(Defect.UNKNOWN_EVENT)


def test_a_character_split_between_events_is_put_together():
    """Halves of an escaped character in two deltas are one character again."""
    halves = b"".join(
        b'data: {"id": "a", "choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % half
        for half in (rb"\ud83d", rb"\ude00", rb"\ud83d")
    )
    assert read(halves).text == "😀\ufffd"


def test_an_endless_row_of_defects_is_bounded():
    """A stream in which everything is wrong does not fill the memory with it."""
    reading = read(stream(*(f"broken {number}" for number in range(1000))))
    assert len(reading.defects) < 100


events = st.lists(
    st.sampled_from(
        [ROLE, TEXT, STOP, USAGE, ERROR, DONE, begin(), more("{}"), more("{", 1), begin(1, "c2")]
    )
    | replies.map(lambda value: chunk({"tool_calls": value, "content": value}))
    | replies.map(lambda value: chunk({"tool_calls": [value], "role": value}))
    | replies.map(lambda value: {"choices": [value], "id": value, "usage": value})
    | replies,
    max_size=6,
)


@given(events.map(lambda some: stream(*some)) | st.binary(max_size=120), split_places)
def test_any_stream_in_any_split_gives_the_same_reading(data, places):
    """No bytes make the reader raise, and no split changes what it saw."""
    reader = ChatCompletionsStream()
    for part in cut(data, places):
        reader.feed(part)
    assert reader.close() == read(data)


def anonymous(*deltas):
    """Write chunks that have an id each, as LiteLLM streams what comes from Ollama."""
    chunks = [chunk(delta, None, f"id-{place}") for place, delta in enumerate(deltas)]
    return stream(*chunks, chunk(finish="stop", reply_id="id-last"), DONE)


def test_ids_that_change_with_every_chunk_name_no_answer():
    """There is one answer all the same; only its id is missing."""
    reading = read(
        anonymous({"role": "assistant", "content": "a"}, {"content": "b"}, {"content": "c"})
    )
    assert (reading.text, reading.starts, reading.ids) == ("abc", 1, ())
    assert {found.defect for found in reading.defects} == {Defect.NO_ID}


def test_an_id_that_two_chunks_share_is_an_answers():
    """A second answer of several chunks is one, whatever the first one's ids were."""
    chunks = [chunk({"content": "x"}, None, name) for name in ("a", "b", "c", "c")]
    reading = read(stream(ROLE, *chunks, STOP, DONE))
    assert reading.has(Defect.SECOND_START)
    assert reading.starts == 3


def test_calls_in_one_place_are_told_without_ids_too():
    """Clients put calls together by their place: two calls of index 0 become one."""
    call = {"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}
    deltas = ({"role": "assistant", "tool_calls": [call]}, {"tool_calls": [call | {"id": "c2"}]})
    reading = read(anonymous(*deltas, {"content": "x"}))
    assert reading.has(Defect.SHARED_INDEX)
    assert len(reading.tool_calls) == 2
