"""The reader of server-sent events: the specification's rules, and no dependence on splits."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.protocol.sse import SseEvent, SseReader

STREAM = (
    '\ufeffevent: start\r\ndata: {"a": "grüße 😀"}\r\n\r\n'
    ": keep-alive\n\n"
    "data: one\ndata: two\n\n"
    "id: 7\rretry: 10\rdata:no space\r\r"
    "data: [DONE]\n\n"
).encode()
EVENTS = [
    SseEvent("start", '{"a": "grüße 😀"}'),
    SseEvent(None, "one\ntwo"),
    SseEvent(None, "no space"),
    SseEvent(None, "[DONE]"),
]

splits = st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """Cut *data* at these places."""
    edges = [0, *at, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def read(pieces: list[bytes], **limits: int) -> tuple[list[SseEvent], SseReader]:
    """Feed all *pieces* to a new reader."""
    reader = SseReader(**limits)
    return [event for piece in pieces for event in reader.feed(piece)], reader


@given(splits)
def test_events_do_not_depend_on_the_split(at):
    """Whatever pieces the bytes come in, the events, comments and the tail are the same."""
    events, reader = read(cut(STREAM, at))
    assert (events, reader.comments, reader.events, reader.close()) == (EVENTS, 1, 4, "")


def test_events_come_byte_by_byte_too():
    """A piece may end inside a character, between CR and LF, and inside the byte order mark."""
    events, _ = read([bytes([byte]) for byte in STREAM])
    assert events == EVENTS


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6).map(sorted))
def test_any_bytes_in_any_split_read_the_same(data, at):
    """No bytes make the reader raise, and a split never changes what it saw."""
    whole, one = read([data])
    parts, other = read(cut(data, [min(place, len(data)) for place in at]))
    assert (whole, one.comments, one.junk) == (parts, other.comments, other.junk)
    assert one.close() == other.close()


@given(
    st.lists(
        st.sampled_from(["data: x", "data", "data:", ":", "event: e", "junk", "id: 1", ""]),
        max_size=14,
    ),
    st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=14, max_size=14),
    st.lists(st.integers(0, 150), max_size=6).map(sorted),
)
def test_line_ends_may_be_mixed(lines, ends, at):
    """LF, CR and CRLF mean the same, also when one stream mixes them and is split anywhere."""
    # CR before an empty line that ends with LF would be one line end, CRLF.
    mixed = "".join(
        line + ("\n" if end == "\r" and "\n" in ends else end)
        for line, end in zip(lines, ends, strict=False)
    ).encode()
    plain, _ = read(["".join(f"{line}\n" for line in lines).encode()])
    events, _ = read(cut(mixed, [min(place, len(mixed)) for place in at]))
    assert events == plain


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data\n\n", [SseEvent(None, "")]),
        (b"data:\n\n", [SseEvent(None, "")]),
        (b"data:  two spaces\n\n", [SseEvent(None, " two spaces")]),
        (b"data: a:b\n\n", [SseEvent(None, "a:b")]),
        (b"event: ping\n\n", []),
        (b"event:\ndata: x\n\n", [SseEvent(None, "x")]),
        (b"\n\n\n", []),
        (b"data: x\n", []),
        (b"data: \xff\n\n", [SseEvent(None, "\ufffd")]),
        (b" data: x\n\n", []),
    ],
)
def test_fields_are_read_as_specified(stream, events):
    """One leading space goes, an event without data is none, and nothing ends by itself."""
    assert read([stream])[0] == events


@pytest.mark.parametrize(
    ("stream", "tail"),
    [
        (b"data: x\n\n", ""),
        (b"data: x\n", "data: x\n"),
        (b"data: x", "data: x"),
        (b'event: e\ndata: {"a', 'event: e\ndata: {"a'),
        (b": comment\n", ""),
        (b"\xef\xbb", "\ufffd"),
    ],
)
def test_the_tail_is_what_was_begun_and_not_ended(stream, tail):
    """A stream that ends inside an event leaves that event's bytes behind."""
    assert read([stream])[1].close() == tail


def test_lines_of_no_field_are_counted():
    """A page of HTML, or JSON, in place of events shows as junk lines."""
    _, reader = read([b"<html>\n<body>\n\n"])
    assert (reader.junk, reader.events) == (2, 0)


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
@pytest.mark.parametrize(
    "long", [b"data: " + b"x" * 300 + b"\n\n", b"data: xxxxxxxx\n" * 30 + b"\n"]
)
def test_an_event_that_is_too_long_is_counted_and_not_kept(long, piece_bytes):
    """Past the limit an event is lost as a whole, and the next one is read."""
    stream = b"data: a\n\n" + long + b"data: b\n\n"
    pieces = [stream[at : at + piece_bytes] for at in range(0, len(stream), piece_bytes)]
    events, reader = read(pieces, max_event_bytes=100)
    assert [SseEvent(None, "a"), SseEvent(None, "b")] == events
    assert (reader.oversized, reader.close()) == (1, "")


def test_an_endless_line_takes_no_memory():
    """A line without an end is dropped when it passes the limit, not collected."""
    reader = SseReader(max_event_bytes=100)
    for _ in range(1000):
        reader.feed(b"x" * 50)
    assert sum(map(len, reader._line)) <= 100
    assert (reader.oversized, reader.close()) == (1, "")
