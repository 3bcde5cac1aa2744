"""Read a streamed reply of Anthropic's Messages API strictly, event by event.

    message_start (content_block_start content_block_delta* content_block_stop)* message_delta
    message_stop

Strict where it would break a client: the SDKs append a block at its start and look deltas up by
their index. An event without its ``event:`` line is read by its ``type``.
"""

from collections.abc import Callable
from dataclasses import replace

from chaos.protocol.conversation import Finish, Json
from chaos.protocol.formats.messages.reply import (
    Block,
    calls_of,
    find_error,
    read_block,
    read_finish,
    read_identity,
    read_message_reply,
    read_usage,
    text_of,
)
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.strict import distinct
from chaos.protocol.reading import Defect, ReadError, Reading, Usage
from chaos.protocol.sse import SseEvent
from chaos.protocol.strict_events import StrictEvents

_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("tool_use", "partial_json"),
}
_SILENT_DELTAS = frozenset({"signature_delta", "citations_delta", "compaction_delta"})


class MessagesStreamReader:
    """One streamed reply of the Messages API."""

    def __init__(self) -> None:
        self._log = Defects()
        self._events = StrictEvents(self._log)
        self._blocks: list[Block] = []  # all that came, orphans too
        self._present: list[Block] = []  # those of the present message, by index
        self._ids: list[str] = []
        self._models: list[str] = []
        self._starts = 0
        self._finish: Finish | None = None
        self._refusal = ""
        self._usage: Usage | None = None
        self._error: ReadError | None = None
        self._ended = False
        self._handlers: dict[str, Callable[[Json], None]] = {
            "message_start": self._on_start,
            "content_block_start": self._on_block_start,
            "content_block_delta": self._on_block_delta,
            "content_block_stop": self._on_block_stop,
            "message_delta": self._on_message_delta,
            "message_stop": self._on_message_stop,
        }

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun."""
        return any(block.type == "tool_use" or any(block.pieces) for block in self._blocks)

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        for event in self._events.feed(data):
            self._take(event)

    def close(self) -> Reading:
        """End the stream and tell what it was."""
        other = self._events.close()
        if other is not None:
            self._error = read_message_reply(200, other).error
        if self._error is None:
            if not self._starts:
                self._log.add(Defect.NO_START, "no message_start")
            if self._finish is None:
                self._log.add(Defect.NO_FINISH, "no message_delta with a stop_reason")
            if not self._ended:
                self._log.add(Defect.NO_TERMINATOR, "no message_stop")
        return Reading(
            text=text_of(self._blocks, "text"),
            reasoning=text_of(self._blocks, "thinking"),
            refusal=self._refusal,
            tool_calls=calls_of(self._blocks),
            finish=self._finish,
            ids=distinct(self._ids),
            models=distinct(self._models),
            error=self._error,
            usage=self._usage,
            defects=self._log.found,
            ended=self._ended,
            starts=self._starts,
        )

    def _take(self, event: SseEvent) -> None:
        if event.event == "ping":
            return
        if event.data == "[DONE]":
            # OpenAI's terminator. Source: LiteLLM 1.106.2, common_request_processing.py
            # (_sse_error_frames): it closes a failed stream with it on any surface.
            if not self._ended and self._error is None:
                self._log.add(Defect.UNKNOWN_EVENT, "[DONE] before the message had ended")
            return
        payload = self._events.read(event)
        if payload is None:
            return
        kind = payload.get("type")
        if kind == "ping":
            return
        if kind == "error" or event.event == "error" or payload.get("error"):
            self._on_error(event, payload)
            return
        kind = self._events.kind(event, payload)
        handler = self._handlers.get(kind)
        if handler is None:
            self._log.add(Defect.UNKNOWN_EVENT, f"{kind!r} is no event of this API")
            return
        self._check_place(kind)
        handler(payload)

    def _check_place(self, kind: str) -> None:
        if kind == "message_start":
            return
        if self._ended or self._error is not None:
            self._log.add(Defect.AFTER_END, f"{kind} after the reply had ended")
        elif not self._starts:
            self._log.add(Defect.NO_START, f"{kind} before any message_start")
        elif self._finish is not None and kind.startswith("content_block"):
            self._log.add(Defect.AFTER_END, f"{kind} after the stop_reason")

    def _on_error(self, event: SseEvent, payload: Json) -> None:
        found = find_error({**payload, "type": "error"}, in_band=True)
        # Source: anthropic-sdk-python and -typescript, streaming: only an event *named* error
        # raises. One without that line is dropped in silence, and the client sees a stream
        # that simply ends.
        named = event.event == "error"
        if self._error is None and found is not None:
            self._error = replace(found, well_formed=found.well_formed and named)

    def _on_start(self, payload: Json) -> None:
        self._starts += 1
        if self._starts > 1:
            self._log.add(Defect.SECOND_START, "a second message_start")
            # What follows is another message: it counts its blocks from zero and must end.
            self._present = []
            self._finish, self._ended = None, False
        message = self._log.need_object(payload, "message", "message_start")
        id_, model = read_identity(message, self._log)
        self._ids.append(id_)
        self._models.append(model)
        self._usage = read_usage(message, self._log, before=self._usage)

    def _on_block_start(self, payload: Json) -> None:
        index = self._log.need_count(payload, "index", "content_block_start")
        expected = len(self._present)
        if index is not None and index != expected:
            self._log.add(Defect.INDEX_GAP, f"block {index} starts where {expected} is next")
        block = self._log.need_object(payload, "content_block", "content_block_start")
        read = read_block(block, f"content_block {expected}", self._log)
        self._blocks.append(read)
        self._present.append(read)

    def _on_block_delta(self, payload: Json) -> None:
        delta = self._log.need_object(payload, "delta", "content_block_delta")
        kind = self._log.need_text(delta, "type", "delta")
        if kind not in _DELTAS:
            if kind and kind not in _SILENT_DELTAS:
                self._log.add(Defect.UNKNOWN_EVENT, f"{kind!r} is no delta of this API")
            return
        block_type, key = _DELTAS[kind]
        piece = self._log.need_text(delta, key, kind)
        block = self._block(payload, "content_block_delta")
        if block is None or block.stopped:
            self._log.add(Defect.ORPHAN_FRAGMENT, f"{kind} for a block that is not open")
            # Its words were sent all the same, and a check may want to see them.
            self._blocks.append(Block(block_type if block_type != "tool_use" else "orphan"))
            self._blocks[-1].pieces.append(piece)
        elif block.type != block_type:
            self._log.wrong(f"{kind} for a block of type {block.type!r}")
        else:
            block.pieces.append(piece)

    def _on_block_stop(self, payload: Json) -> None:
        block = self._block(payload, "content_block_stop")
        if block is None:
            self._log.add(Defect.ORPHAN_FRAGMENT, "content_block_stop for a block never started")
        elif block.stopped:
            self._log.wrong("a block is stopped twice")
        else:
            block.stopped = True

    def _on_message_delta(self, payload: Json) -> None:
        delta = self._log.need_object(payload, "delta", "message_delta")
        finish, refusal = read_finish(delta, self._log)
        if finish is not None:
            if self._finish not in (None, finish):
                self._log.wrong(f"two stop reasons: {self._finish} and {finish}")
            self._finish = finish
            self._refusal += refusal
            if any(not block.stopped for block in self._present):
                self._log.wrong("the message ends with a block still open")
        self._usage = read_usage(payload, self._log, before=self._usage)

    def _on_message_stop(self, _payload: Json) -> None:
        self._ended = True

    def _block(self, payload: Json, where: str) -> Block | None:
        """Look a block up as the SDKs do: by its position in the present message."""
        index = self._log.need_count(payload, "index", where)
        if index is None or not 0 <= index < len(self._present):
            return None
        return self._present[index]
