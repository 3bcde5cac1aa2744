"""A strict reader of server-sent events, without I/O: bytes in, events out.

Invariant: the events do not depend on how the bytes were split, not even inside a character or
between CR and LF. What was begun and not ended is no event: ``close`` returns it as it came.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, "Parsing an event
stream". Reconnecting (``id``, ``retry``) is not for us: those fields are read over.
"""

from dataclasses import dataclass

MAX_EVENT_BYTES = 8 << 20
"""No provider sends an event of this size; one that does shall not fill our memory."""

_BOM = b"\xef\xbb\xbf"
_COLON = ord(":")


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event; *event* is None where the stream does not name it."""

    event: str | None
    data: str


class SseReader:
    """Reads one stream, piece by piece.

    Args:
        max_event_bytes: A longer event is counted in ``oversized`` and not kept.
    """

    __slots__ = (
        "_beginning",
        "_block",
        "_block_bytes",
        "_comments",
        "_cr_ended",
        "_discarding",
        "_events",
        "_junk",
        "_line",
        "_line_bytes",
        "_max_event_bytes",
        "_oversized",
        "_started",
    )

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        # The parts of a line whose end has not come; joined once, so that a long line that
        # arrives byte by byte costs no more than one that arrives at once.
        self._line: list[bytes] = []
        self._line_bytes = 0
        self._block: list[bytes] = []
        self._block_bytes = 0
        self._cr_ended = False
        self._discarding = False
        self._started = False
        self._beginning = b""
        self._comments = 0
        self._events = 0
        self._junk = 0
        self._oversized = 0

    @property
    def comments(self) -> int:
        """How many comment lines came; keep-alives mostly."""
        return self._comments

    @property
    def events(self) -> int:
        """How many events came."""
        return self._events

    @property
    def junk(self) -> int:
        """How many lines of ended events are of no field that the format has."""
        return self._junk

    @property
    def oversized(self) -> int:
        """How many events were longer than allowed, and so are lost."""
        return self._oversized

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the next bytes and return the events that they complete."""
        data = self._with_line_feeds(data)
        if b"\n" not in data:
            self._keep(data)
            return []
        if self._line:
            data = b"".join((*self._line, data))
        lines = data.split(b"\n")
        rest = lines.pop()
        events: list[SseEvent] = []
        for line in lines:
            if not line:
                self._end_block(events)
            elif line[0] == _COLON:
                self._comments += 1
            else:
                self._block_bytes += len(line) + 1
                if self._block_bytes > self._max_event_bytes:
                    self._discard()
                elif not self._discarding:
                    self._block.append(line)
        self._line = [rest] if rest else []
        self._line_bytes = len(rest)
        return events

    def close(self) -> str:
        """End the stream and return what was begun and not ended; empty if nothing was.

        An event that was too long to be kept leaves nothing behind but its count.
        """
        tail = b"" if self._discarding else b"\n".join((*self._block, b"".join(self._line)))
        # A stream of one or two bytes that could have become a byte order mark.
        tail = tail or self._beginning
        self._line, self._line_bytes, self._beginning = [], 0, b""
        self._block, self._block_bytes = [], 0
        self._discarding = False
        return tail.decode("utf-8", "replace")

    def _with_line_feeds(self, data: bytes) -> bytes:
        """Make every line end, which may be CR, LF or both, a line feed."""
        if not self._started:
            data = self._without_bom(data)
        if self._cr_ended and data:
            self._cr_ended = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._cr_ended = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _without_bom(self, data: bytes) -> bytes:
        """Drop a byte order mark at the very beginning; empty while that is not yet told."""
        data = self._beginning + data
        self._started = len(data) >= len(_BOM) or not _BOM.startswith(data)
        self._beginning = b"" if self._started else data
        return data.removeprefix(_BOM) if self._started else b""

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        self._line_bytes += len(data)
        if self._line_bytes + self._block_bytes > self._max_event_bytes:
            self._discard()
            # One byte stands for the lost line, so that its end is not taken for a blank line.
            self._line = [b"?"]
        else:
            self._line.append(data)

    def _discard(self) -> None:
        if not self._discarding:
            self._oversized += 1
        self._discarding = True
        self._block = []

    def _end_block(self, events: list[SseEvent]) -> None:
        block = self._block
        if block:
            event = self._read(block)
            if event is not None:
                self._events += 1
                events.append(event)
            self._block = []
        self._block_bytes = 0
        self._discarding = False

    def _read(self, block: list[bytes]) -> SseEvent | None:
        if len(block) == 1 and block[0].startswith(b"data: "):
            return SseEvent(None, block[0][6:].decode("utf-8", "replace"))
        event: str | None = None
        data: list[bytes] = []
        for line in block:
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
            elif field == b"event":
                event = value.decode("utf-8", "replace") or None
            elif field not in (b"id", b"retry"):
                self._junk += 1
        return SseEvent(event, b"\n".join(data).decode("utf-8", "replace")) if data else None
