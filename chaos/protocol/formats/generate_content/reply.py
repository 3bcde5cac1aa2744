"""Read Gemini's replies strictly, whole or streamed: a stream is a row of small whole replies.

Shape:
    {"candidates": [{"content": {"parts": [{"text": str, "thought"?: bool} | {"functionCall":
    {"name": str, "args": object, "id"?: str}}], "role": "model"}, "finishReason"?: str}],
    "promptFeedback"?: {"blockReason": str}, "usageMetadata": …, "modelVersion", "responseId"}
    "candidates" is absent where the prompt was blocked.

Source: Google's API reference, ``GenerateContentResponse`` (v1beta).
"""

from typing import Any

from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.google_error import read_google_error
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import as_json_text, whole
from chaos.protocol.json.opened import opened
from chaos.protocol.json.text import parse_json, whole_text
from chaos.protocol.reading import Defect, ReadError, Reading, Usage
from chaos.protocol.sse import SseReader

_FINISHES = {
    "STOP": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    "SAFETY": Finish.CONTENT_FILTER,
    "RECITATION": Finish.CONTENT_FILTER,
    "BLOCKLIST": Finish.CONTENT_FILTER,
    "PROHIBITED_CONTENT": Finish.CONTENT_FILTER,
    "SPII": Finish.CONTENT_FILTER,
    "IMAGE_SAFETY": Finish.CONTENT_FILTER,
}
_OTHER_PARTS = frozenset(
    {
        "inlineData",
        "fileData",
        "executableCode",
        "codeExecutionResult",
        "thoughtSignature",
        "functionResponse",
    }
)


class _Collector:
    """Adds up the chunks of one reply."""

    def __init__(self) -> None:
        self.defects = Defects()
        self.error: ReadError | None = None
        self.finish: Finish | None = None
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._blocked = ""
        self._usage: Usage | None = None
        self._ids: dict[str, None] = {}
        self._models: dict[str, None] = {}
        self._chunks = 0

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has come."""
        return bool(self._texts or self._reasoning or self._calls)

    def add(self, chunk: Json) -> None:
        """Take one chunk, or a whole reply."""
        if "error" in chunk:
            self.error = read_google_error(None, chunk, in_band=True)
            return
        self._chunks += 1
        self._note(chunk, "responseId", self._ids)
        self._note(chunk, "modelVersion", self._models)
        if len(self._ids) > 1:
            self.defects.add(Defect.SECOND_START, "a second responseId")
        if "usageMetadata" in chunk:
            self._read_usage(self.defects.need_object(chunk, "usageMetadata", "reply"))
        feedback = chunk.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            self._blocked = whole_text(str(feedback["blockReason"]))
            self.finish = Finish.CONTENT_FILTER
        if "candidates" in chunk:
            for candidate in self.defects.need_objects(chunk, "candidates", "reply")[:1]:
                self._read_candidate(candidate)
        elif not self._blocked and "usageMetadata" not in chunk:
            self.defects.add(Defect.NO_OUTPUT_FIELD, "no candidates")

    def reading(self, *, ended: bool) -> Reading:
        """Tell what it was."""
        return Reading(
            text=whole_text("".join(self._texts)),
            reasoning=whole_text("".join(self._reasoning)),
            refusal=self._blocked,
            tool_calls=tuple(self._calls),
            finish=self.finish,
            ids=tuple(self._ids),
            models=tuple(self._models),
            error=self.error,
            usage=self._usage,
            defects=self.defects.found,
            ended=ended,
            starts=max(len(self._ids), min(self._chunks, 1)),
        )

    def _note(self, chunk: Json, key: str, into: dict[str, None]) -> None:
        value = chunk.get(key)
        if isinstance(value, str) and value:
            into[whole_text(value)] = None

    def _read_usage(self, usage: Json) -> None:
        self._usage = Usage(
            self.defects.need_count(usage, "promptTokenCount", "usageMetadata"),
            whole(usage.get("candidatesTokenCount")),
            whole(usage.get("thoughtsTokenCount")),
            whole(usage.get("cachedContentTokenCount")),
        )

    def _read_candidate(self, candidate: Json) -> None:
        ended = self.finish is not None
        before = (len(self._texts), len(self._calls))
        if "content" in candidate:
            self._read_content(self.defects.need_object(candidate, "content", "candidate"))
        if ended and before != (len(self._texts), len(self._calls)):
            self.defects.add(Defect.AFTER_END, "output after finishReason")
        reason = candidate.get("finishReason")
        if reason is None:
            return
        if not isinstance(reason, str):
            self.defects.add(Defect.WRONG_SHAPE, f"finishReason is {reason!r}")
            return
        self.finish = _FINISHES.get(reason, Finish.OTHER)
        if self.finish is Finish.STOP and self._calls:
            self.finish = Finish.TOOL_CALLS  # Gemini says STOP for both

    def _read_content(self, content: Json) -> None:
        # Absent where an answer was stopped before its first part.
        if "parts" not in content:
            return
        for part in self.defects.need_objects(content, "parts", "content"):
            if "functionCall" in part:
                self._read_call(self.defects.need_object(part, "functionCall", "part"))
            elif "text" in part:
                told = self.defects.need_text(part, "text", "part")
                if told:
                    (self._reasoning if part.get("thought") is True else self._texts).append(told)
            elif not part.keys() & _OTHER_PARTS:
                self.defects.add(Defect.UNKNOWN_EVENT, f"a part of {', '.join(part) or 'nothing'}")

    def _read_call(self, call: Json) -> None:
        call_id = call.get("id")
        arguments: Any = {}
        if "args" in call:  # a function without parameters is called without
            arguments = self.defects.need_object(call, "args", "functionCall")
        self._calls.append(
            ToolCall(
                whole_text(call_id) if isinstance(call_id, str) else None,
                whole_text(self.defects.need_text(call, "name", "functionCall")),
                whole_text(as_json_text(arguments)),
            )
        )


def read_generate_content_reply(status: int, body: bytes) -> Reading:
    """Read a whole reply strictly, good or error; never raises."""
    collector = _Collector()
    parsed = opened(status, body, collector.defects, read_google_error)
    if isinstance(parsed, Reading):
        return parsed
    collector.add(parsed)
    if "candidates" not in parsed and collector.error is None and collector.finish is None:
        collector.defects.add(Defect.NO_OUTPUT_FIELD, "no candidates")
    elif collector.finish is None and collector.error is None:
        collector.defects.add(Defect.NO_FINISH, "no finishReason")
    return collector.reading(ended=True)


class GenerateContentStreamReader:
    """Reads one streamed reply, piece by piece, as it arrives."""

    def __init__(self) -> None:
        self._sse = SseReader()
        self._collector = _Collector()

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        collector = self._collector
        for event in self._sse.feed(data):
            if event.event is not None:
                collector.defects.add(Defect.UNKNOWN_EVENT, f"an event named {event.event!r}")
            try:
                chunk = parse_json(event.data)
            except ValueError:
                collector.defects.add(Defect.EVENT_NOT_JSON, event.data)
                continue
            if isinstance(chunk, dict):
                collector.add(chunk)
            else:
                collector.defects.add(Defect.EVENT_NOT_JSON, f"no object: {event.data}")

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun."""
        return self._collector.has_output

    def close(self) -> Reading:
        """End the stream and tell what it was; the chunk with ``finishReason`` ends it."""
        collector = self._collector
        tail = self._sse.close()
        if tail:
            collector.defects.add(Defect.TRUNCATED_EVENT, tail)
        finished = collector.finish is not None
        if not finished and collector.error is None:
            collector.defects.add(Defect.NO_FINISH, "no finishReason")
        return collector.reading(ended=finished)
