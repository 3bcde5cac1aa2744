"""Anthropic's Messages API inside Bedrock: ``/model/M/invoke``, ``…/invoke-with-response-stream``.

LiteLLM 1.106.2 takes this way instead of Converse for Anthropic models on ``/v1/messages``, and
where a deployment says ``bedrock/invoke/…``. A request names neither model nor stream; each event
of a streamed reply is a frame of ``event_stream`` with the event's JSON in Base64.

Source: botocore 1.44.5, ``InvokeModelWithResponseStream``; LiteLLM 1.106.2's requests.
"""

import base64
import binascii
from dataclasses import replace
from typing import Any, ClassVar

from chaos.protocol.aws_event_stream import (
    CONTENT_TYPE,
    EventStreamReader,
    Message,
    write_message,
)
from chaos.protocol.conversation import Answer, Ask, Json
from chaos.protocol.format import Piece
from chaos.protocol.formats.converse.reply import read_converse_error
from chaos.protocol.formats.converse.stream import status_of_exception
from chaos.protocol.formats.converse.write import Converse
from chaos.protocol.formats.messages.write import Messages
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import as_json_text, mapping, text
from chaos.protocol.json.text import parse_json
from chaos.protocol.reading import Defect, ReadError, Reading, StreamReader
from chaos.protocol.sse import SseReader

_HEADERS = {
    ":event-type": "chunk",
    ":content-type": "application/json",
    ":message-type": "event",
}


class BedrockInvoke:
    """Anthropic's Messages API, as Bedrock wraps it."""

    name: ClassVar[str] = "bedrock_invoke"
    _inner = Messages()

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        inner = self._inner.write_ask(ask, model=model, stream=stream)
        kept = {name: value for name, value in inner.items() if name not in {"model", "stream"}}
        return {"anthropic_version": "bedrock-2023-05-31", **kept}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        return self._inner.read_ask(body)

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply."""
        pieces = self._inner.write_answer(answer, model=model, stream=stream)
        if not stream:
            return pieces
        return tuple(Piece(piece.kind, _wrap(piece.data)) for piece in pieces)

    def write_error_event(self, error: Json) -> bytes:
        """Write an error body as an exception frame, as Converse does."""
        return Converse().write_error_event(error)

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return CONTENT_TYPE if stream else "application/json"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        if 200 <= status < 300:
            return self._inner.read_reply(status, body)
        return Converse().read_reply(status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return _StreamReader(self._inner.stream_reader())


def _wrap(events: bytes) -> bytes:
    """Put each event of a piece into a frame of its own."""
    return b"".join(
        write_message(
            _HEADERS,
            as_json_text({"bytes": base64.b64encode(event.data.encode()).decode()}).encode(),
        )
        for event in SseReader().feed(events)
    )


class _StreamReader:
    """Unwraps the frames and lets the reader of the Messages API read what was in them."""

    def __init__(self, inner: StreamReader) -> None:
        self._inner = inner
        self._frames = EventStreamReader()
        self._defects = Defects()
        self._error: ReadError | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        for message in self._frames.feed(data):
            if message.headers.get(":message-type") == "exception":
                self._fail(message)
            else:
                self._inner.feed(self._unwrap(message))

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun."""
        return self._inner.has_output

    def close(self) -> Reading:
        """End the stream and tell what it was."""
        inner = self._inner.close()
        tail = self._frames.close()
        if self._frames.broken is not None:
            self._defects.add(Defect.WRONG_SHAPE, self._frames.broken)
        if tail:
            self._defects.add(Defect.TRUNCATED_EVENT, f"{len(tail)} bytes of a frame")
        return replace(
            inner, error=self._error or inner.error, defects=(*inner.defects, *self._defects.found)
        )

    def _fail(self, message: Message) -> None:
        name = message.headers.get(":exception-type")
        self._error = read_converse_error(
            status_of_exception(name), _parsed(message.payload), type_=name, in_band=True
        )

    def _unwrap(self, message: Message) -> bytes:
        try:
            event = base64.b64decode(text(mapping(_parsed(message.payload)).get("bytes")))
        except (binascii.Error, ValueError):
            event = b""
        told = mapping(_parsed(event))
        if not told:
            self._defects.add(Defect.EVENT_NOT_JSON, "a chunk without an event")
            return b""
        name = text(told.get("type")).partition("\n")[0]
        return (
            f"event: {name}\ndata: ".encode("utf-8", "replace")
            + b" ".join(event.splitlines())
            + b"\n\n"
        )


def _parsed(data: bytes) -> Any:
    try:
        return parse_json(data)
    except ValueError:
        return None
