"""Take the events out of a reply, and note where it is no event stream at all."""

from typing import Any

from chaos.protocol.json.defects import Defects
from chaos.protocol.json.strict import parse, shown
from chaos.protocol.json.text import excerpt
from chaos.protocol.reading import Defect
from chaos.protocol.sse import SseEvent, SseReader

_HEAD_BYTES = 64 << 10
_SSE_LINES = (b"data:", b"event:", b":", b"id:", b"retry:")


class StrictEvents:
    """The events of one streamed reply."""

    def __init__(self, log: Defects) -> None:
        self._log = log
        self._sse = SseReader()
        # The first bytes, until an event came: what is no event stream is read from them.
        self._head = b""

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the next bytes and return the events that they complete."""
        if not self._sse.events and len(self._head) < _HEAD_BYTES:
            self._head += data[:_HEAD_BYTES]
        return self._sse.feed(data)

    def read(self, event: SseEvent) -> dict[str, Any] | None:
        """Read an event's payload; None, and noted, if it is no object."""
        is_json, payload = parse(event.data)
        if not is_json:
            told = f"event {event.event!r}: {event.data[:80]!r}"
            self._log.add(Defect.EVENT_NOT_JSON, told)
        elif isinstance(payload, dict):
            return payload
        else:
            self._log.add(Defect.NOT_AN_OBJECT, f"event {event.event!r} is {shown(payload)}")
        return None

    def kind(self, event: SseEvent, payload: dict[str, Any]) -> str:
        """Tell an event's kind by its ``type``, which its name, if it has one, must repeat."""
        kind = payload.get("type")
        if not isinstance(kind, str):
            self._log.wrong(f"event {event.event!r} has no type")
            return event.event or ""
        if event.event not in (None, kind):
            self._log.wrong(f"an event named {event.event!r} is of type {kind!r}")
        return kind

    def close(self) -> bytes | None:
        """End the stream; returns what came instead where it was none."""
        tail = self._sse.close()
        head = self._head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not self._sse.events and head and not head.startswith(_SSE_LINES):
            self._log.wrong(f"no event stream: {excerpt(head)}")
            return head
        if tail:
            self._log.add(Defect.TRUNCATED_EVENT, f"the stream ends inside an event: {tail}")
        if self._sse.oversized:
            self._log.wrong(f"{self._sse.oversized} events too long to keep")
        if self._sse.events and self._sse.junk:
            self._log.wrong(f"{self._sse.junk} lines that are of no event")
        return None
