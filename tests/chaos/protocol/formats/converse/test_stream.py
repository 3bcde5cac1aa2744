"""Streamed replies of Bedrock's Converse API, read strictly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.aws_event_stream import write_message
from chaos.protocol.formats.converse.stream import status_of_exception
from chaos.protocol.formats.converse.write import Converse
from chaos.protocol.reading import Defect
from tests.fakes.streams import defects, read_stream

FORMAT = Converse()
START = ("messageStart", {"role": "assistant"})
HELLO = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hello"}})
STOPPED = ("contentBlockStop", {"contentBlockIndex": 0})
STOP = ("messageStop", {"stopReason": "end_turn"})
END = ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})


def stream(*events):
    """Write *events*, names and payloads, as frames."""
    return b"".join(
        write_message({":message-type": "event", ":event-type": name}, json.dumps(payload).encode())
        for name, payload in events
    )


def test_the_order_of_a_good_stream_has_no_defect():
    """Start, text, stop and metadata make a whole reply."""
    reading = read_stream(FORMAT, stream(START, HELLO, STOPPED, STOP, END))
    assert (reading.text, reading.ended, reading.defects) == ("hello", True, ())


@pytest.mark.parametrize(
    ("events", "defect"),
    [
        ((HELLO, STOPPED, STOP, END), Defect.NO_START),
        ((START, START, HELLO, STOP, END), Defect.SECOND_START),
        ((START, HELLO, STOPPED, END), Defect.NO_FINISH),
        ((START, HELLO, STOPPED, STOP), Defect.NO_TERMINATOR),
        ((START, HELLO, STOP, HELLO, END), Defect.AFTER_END),
        ((START, STOPPED, STOP, END), Defect.ORPHAN_FRAGMENT),
        ((START, ("surprise", {}), STOP, END), Defect.UNKNOWN_EVENT),
        ((START, ("contentBlockDelta", []), STOP, END), Defect.EVENT_NOT_JSON),
        (
            (START, ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"x": 1}}), STOP, END),
            Defect.UNKNOWN_EVENT,
        ),
    ],
)
def test_what_is_out_of_order_is_named(events, defect):
    """Each way of breaking the order has its defect."""
    assert defect in defects(read_stream(FORMAT, stream(*events)))


def test_a_fragment_of_a_call_that_never_began_is_an_orphan():
    """Arguments without a beginning belong to no call."""
    lost = ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{"}}})
    reading = read_stream(FORMAT, stream(START, lost, STOP, END))
    assert defects(reading) == [Defect.ORPHAN_FRAGMENT]
    assert reading.tool_calls == ()


def test_a_call_that_never_ends_is_read_and_noted():
    """Half a call is shown as it came."""
    use = {"toolUse": {"toolUseId": "a", "name": "f"}}
    begun = ("contentBlockStart", {"contentBlockIndex": 0, "start": use})
    half = ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"a'}}})
    reading = read_stream(FORMAT, stream(START, begun, half))
    assert reading.tool_calls[0].arguments == '{"a'
    assert reading.has(Defect.ORPHAN_FRAGMENT)


def test_the_first_token_is_noticed_at_once():
    """Output has begun with the first text, not with the start of the message."""
    reader = FORMAT.stream_reader()
    reader.feed(stream(START))
    assert not reader.has_output
    reader.feed(stream(HELLO))
    assert reader.has_output


def test_a_broken_frame_is_a_defect():
    """Bytes whose checksum is wrong are told, and nothing after them is believed."""
    data = bytearray(stream(START, HELLO))
    data[-1] ^= 1
    reading = read_stream(FORMAT, bytes(data))
    assert reading.has(Defect.WRONG_SHAPE)
    assert reading.text == ""


def test_exceptions_stand_for_statuses():
    """The five exceptions of a stream have the statuses of the service model."""
    assert status_of_exception("throttlingException") == 429
    assert status_of_exception("modelStreamErrorException") == 424
    assert status_of_exception("somethingElse") is None


_PAYLOADS = st.dictionaries(
    st.sampled_from(["contentBlockIndex", "delta", "start", "stopReason", "usage", "role"]),
    st.none()
    | st.integers(-1, 2)
    | st.dictionaries(
        st.sampled_from(["text", "toolUse", "reasoningContent"]), st.text(max_size=3)
    ),
    max_size=3,
)
_EVENTS = st.tuples(
    st.sampled_from([START[0], HELLO[0], STOPPED[0], STOP[0], END[0], "contentBlockStart"]),
    _PAYLOADS,
)


@given(st.lists(_EVENTS, max_size=5))
def test_no_events_make_it_raise(events):
    """Whatever frames come, there is a reading."""
    read_stream(FORMAT, stream(*events)).text.encode()
