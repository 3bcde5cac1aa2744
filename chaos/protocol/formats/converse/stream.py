"""Read a streamed reply of Bedrock's Converse API strictly, frame by frame.

    messageStart (contentBlockStart? contentBlockDelta* contentBlockStop)* messageStop metadata

Only tool calls have a ``contentBlockStart``. An error inside the stream is a frame whose
``:message-type`` is ``exception``, and the stream is over after it.

Source: botocore 1.44.5, ``ConverseStreamOutput``.
"""

from dataclasses import dataclass, field

from chaos.protocol.aws_event_stream import EventStreamReader, Message
from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.formats.converse.reply import read_converse_error, read_finish, read_usage
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.text import excerpt, parse_json, whole_text
from chaos.protocol.reading import Defect, ReadError, Reading, Usage

_STATUSES = {
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "validationException": 400,
    "throttlingException": 429,
    "serviceUnavailableException": 503,
}
_OTHER_DELTAS = frozenset({"citation", "toolResult", "image"})


def status_of_exception(name: str | None) -> int | None:
    """Tell the HTTP status that an exception inside a stream stands for."""
    return _STATUSES.get(name or "")


@dataclass(slots=True)
class _Call:
    id: str | None
    name: str
    fragments: list[str] = field(default_factory=list)


class ConverseStreamReader:
    """Reads one streamed reply, piece by piece, as it arrives."""

    def __init__(self) -> None:
        self._frames = EventStreamReader()
        self._defects = Defects()
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[_Call] = []
        self._open: dict[int, _Call] = {}
        self._seen: set[int] = set()
        self._starts = 0
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._error: ReadError | None = None
        self._handlers = {
            "messageStart": self._on_start,
            "contentBlockStart": self._on_block_start,
            "contentBlockDelta": self._on_delta,
            "contentBlockStop": self._on_block_stop,
            "messageStop": self._on_stop,
            "metadata": self._on_metadata,
        }

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        for message in self._frames.feed(data):
            self._on_message(message)

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun."""
        return bool(self._texts or self._reasoning or self._calls)

    def close(self) -> Reading:
        """End the stream and tell what it was."""
        defects = self._defects
        tail = self._frames.close()
        if self._frames.broken is not None:
            defects.add(Defect.WRONG_SHAPE, self._frames.broken)
        if tail:
            defects.add(Defect.TRUNCATED_EVENT, f"{len(tail)} bytes of a frame that never ended")
        if self._starts == 0 and self._error is None:
            defects.add(Defect.NO_START, "no messageStart")
        if self._finish is None and self._error is None:
            defects.add(Defect.NO_FINISH, "no messageStop")
        ended = self._usage is not None
        if not ended and self._error is None:
            defects.add(Defect.NO_TERMINATOR, "no metadata")
        for index in sorted(self._open):
            defects.add(Defect.ORPHAN_FRAGMENT, f"the tool call of block {index} never ended")
        return Reading(
            text=whole_text("".join(self._texts)),
            reasoning=whole_text("".join(self._reasoning)),
            tool_calls=tuple(
                ToolCall(call.id, whole_text(call.name), whole_text("".join(call.fragments)))
                for call in self._calls
            ),
            finish=self._finish,
            error=self._error,
            usage=self._usage,
            defects=defects.found,
            ended=ended,
            starts=self._starts,
        )

    def _on_message(self, message: Message) -> None:
        try:
            payload = parse_json(message.payload)
        except ValueError:
            payload = None
        kind = message.headers.get(":message-type")
        if kind in {"exception", "error"}:
            name = message.headers.get(":exception-type", message.headers.get(":error-code"))
            if payload is None:
                payload = message.headers.get(":error-message", "")
            self._error = read_converse_error(
                status_of_exception(name), payload, type_=name, in_band=True
            )
            return
        name = message.headers.get(":event-type", "")
        handler = self._handlers.get(name)
        if handler is None:
            self._defects.add(Defect.UNKNOWN_EVENT, f"an event of type {name!r}")
        elif not isinstance(payload, dict):
            self._defects.add(Defect.EVENT_NOT_JSON, f"{name}: {excerpt(message.payload)}")
        else:
            if self._finish is not None and name not in {"metadata", "messageStart"}:
                self._defects.add(Defect.AFTER_END, f"{name} after messageStop")
            handler(payload)

    def _on_start(self, payload: Json) -> None:
        self._starts += 1
        if self._starts > 1:
            self._defects.add(Defect.SECOND_START, "a second messageStart")
        if payload.get("role") != "assistant":
            self._defects.add(Defect.WRONG_SHAPE, f"messageStart.role is {payload.get('role')!r}")

    def _index(self, payload: Json, event: str) -> int:
        index = self._defects.need_count(payload, "contentBlockIndex", event)
        return -1 if index is None else index

    def _on_block_start(self, payload: Json) -> None:
        index = self._index(payload, "contentBlockStart")
        start = self._defects.need_object(payload, "start", "contentBlockStart")
        self._seen.add(index)
        if "toolUse" not in start:
            return
        use = self._defects.need_object(start, "toolUse", "start")
        call_id = use.get("toolUseId")
        if not isinstance(call_id, str) or not call_id:
            self._defects.add(Defect.MISSING_CALL_ID, f"the tool call of block {index} has no id")
            call_id = None
        call = _Call(call_id, self._defects.need_text(use, "name", "toolUse"))
        if index in self._open:
            self._defects.add(Defect.SECOND_START, f"block {index} begins twice")
        self._open[index] = call
        self._calls.append(call)

    def _on_delta(self, payload: Json) -> None:
        index = self._index(payload, "contentBlockDelta")
        delta = self._defects.need_object(payload, "delta", "contentBlockDelta")
        self._seen.add(index)
        if "text" in delta:
            self._texts.append(self._defects.need_text(delta, "text", "delta"))
        elif "toolUse" in delta:
            use = self._defects.need_object(delta, "toolUse", "delta")
            fragment = self._defects.need_text(use, "input", "toolUse")
            if index in self._open:
                self._open[index].fragments.append(fragment)
            else:
                self._defects.add(Defect.ORPHAN_FRAGMENT, f"block {index} was never started")
        elif "reasoningContent" in delta:
            told = self._defects.need_object(delta, "reasoningContent", "delta")
            if isinstance(told.get("text"), str):
                self._reasoning.append(told["text"])
        elif not delta.keys() & _OTHER_DELTAS:
            self._defects.add(Defect.UNKNOWN_EVENT, f"a delta of {', '.join(delta) or 'nothing'}")

    def _on_block_stop(self, payload: Json) -> None:
        index = self._index(payload, "contentBlockStop")
        self._open.pop(index, None)
        if index not in self._seen:
            self._defects.add(Defect.ORPHAN_FRAGMENT, f"block {index} ends and was never begun")

    def _on_stop(self, payload: Json) -> None:
        reason = self._defects.need_text(payload, "stopReason", "messageStop")
        self._finish = read_finish(reason) if reason else None

    def _on_metadata(self, payload: Json) -> None:
        usage = self._defects.need_object(payload, "usage", "metadata")
        self._usage = read_usage(usage, self._defects)
