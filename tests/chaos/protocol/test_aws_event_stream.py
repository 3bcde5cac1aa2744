"""Amazon's binary framing, written and read."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.aws_event_stream import EventStreamReader, Message, write_message

# Source: AWS's test vectors for the event stream encoding.
EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")
NO_HEADERS = bytes.fromhex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")

_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_MESSAGES = st.builds(Message, st.dictionaries(_NAMES, _NAMES, max_size=4), st.binary(max_size=200))


def read(data: bytes, size: int = 1 << 20) -> tuple[list[Message], EventStreamReader]:
    """Read *data* in pieces of *size* bytes."""
    reader = EventStreamReader()
    messages: list[Message] = []
    for start in range(0, len(data), size):
        messages += reader.feed(data[start : start + size])
    return messages, reader


def test_frames_are_written_as_amazon_writes_them():
    """The published test vectors come out byte for byte."""
    assert write_message({}, b"") == EMPTY
    assert write_message({}, b"{'foo':'bar'}") == NO_HEADERS


def test_frames_are_read_as_amazon_writes_them():
    """The published test vectors are read back."""
    messages, reader = read(EMPTY + NO_HEADERS)
    assert messages == [Message({}, b""), Message({}, b"{'foo':'bar'}")]
    assert (reader.broken, reader.close()) == (None, b"")


@given(messages=st.lists(_MESSAGES, max_size=4), size=st.integers(1, 64))
def test_what_was_written_is_read_whatever_the_split(messages, size):
    """Frames survive the way over the wire, however their bytes are cut."""
    data = b"".join(write_message(message.headers, message.payload) for message in messages)
    assert read(data, size)[0] == messages


@given(message=_MESSAGES, data=st.data())
def test_a_changed_byte_is_noticed(message, data):
    """No single wrong byte passes the checksums."""
    frame = bytearray(write_message(message.headers, message.payload))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    messages, reader = read(bytes(frame))
    assert messages == []
    assert reader.broken is not None


def test_after_a_broken_frame_nothing_is_believed():
    """A good frame behind a broken one is not read."""
    messages, reader = read(EMPTY[:-1] + b"\x00" + NO_HEADERS)
    assert messages == []
    assert reader.broken == "the checksum of a frame is wrong"
    assert reader.feed(NO_HEADERS) == []


def test_a_frame_without_end_is_handed_out_at_the_end():
    """Bytes of a frame that was cut off are not lost."""
    messages, reader = read(EMPTY + NO_HEADERS[:-3])
    assert messages == [Message({}, b"")]
    assert reader.close() == NO_HEADERS[:-3]


def test_headers_of_other_types_are_skipped():
    """Numbers, flags and bytes among the headers do not hide the strings."""
    block = (
        b"\x01a\x00"  # true
        b"\x01b\x04\x00\x00\x00\x07"  # a 32-bit number
        b"\x01c\x06\x00\x02xy"  # bytes
        b"\x01d\x07\x00\x02ok"
    )
    assert read(_frame(block))[0] == [Message({"d": "ok"}, b"")]


@pytest.mark.parametrize(
    "block", [b"\x01", b"\x01a\x0c", b"\x01a\x07\x00\x09x", b"\x02\xff\xfe\x00"]
)
def test_headers_that_do_not_add_up_break_the_stream(block):
    """Headers that cannot be read are an error, not an exception."""
    messages, reader = read(_frame(block))
    assert messages == []
    assert reader.broken == "the headers of a frame cannot be read"


def test_an_absurd_length_is_not_waited_for():
    """A frame that claims gigabytes is broken at once."""
    lengths = struct.pack(">II", 1 << 31, 0)
    _, reader = read(lengths + struct.pack(">I", zlib.crc32(lengths)))
    assert reader.broken is not None


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data):
    """Whatever comes is read or refused."""
    read(data, 7)


def _frame(block: bytes) -> bytes:
    lengths = struct.pack(">II", 16 + len(block), len(block))
    head = lengths + struct.pack(">I", zlib.crc32(lengths)) + block
    return head + struct.pack(">I", zlib.crc32(head))
