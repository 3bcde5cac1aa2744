"""Read Ollama's replies strictly, whole or streamed: a stream is a row of small whole replies.

Shape:
    chat      {"model": str, "created_at": str, "message": {"role": "assistant", "content": str,
               "thinking"?: str, "tool_calls"?: [{"function": {"name": str, "arguments": object}}]},
               "done": bool, "done_reason"?: str, "prompt_eval_count"?: int, "eval_count"?: int}
    generate  {"model": str, "created_at": str, "response": str, "thinking"?: str, "done": bool, …}
    error     {"error": str}, with a status, or as a line of a stream that began well

A stream is one object a line, and ends with the one whose ``done`` is true. There is no id, and a
tool call has none either. A prompt that was cut to ``num_ctx`` shows only in
``prompt_eval_count``: there is no error, and ``done_reason`` is ``stop``.

Source: github.com/ollama/ollama, docs/api.md; ollama/ollama#3839, #17427 for the cut.
"""

from typing import Any

from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import as_json_text
from chaos.protocol.json.opened import opened
from chaos.protocol.json.text import excerpt, parse_json, whole_text
from chaos.protocol.json_lines import JsonLines
from chaos.protocol.reading import Defect, ReadError, Reading, Usage

_FINISHES = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "content_filter": Finish.CONTENT_FILTER,
}
_CALL = {"name", "arguments"}


def read_ollama_error(status: int | None, body: Any, *, in_band: bool = False) -> ReadError:
    """Read an error body, or whatever came in its place."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return ReadError(whole_text(error), status=status, in_band=in_band)
    told = body if isinstance(body, str) else as_json_text(body)
    return ReadError(excerpt(told), status=status, well_formed=False, in_band=in_band)


class _Collector:
    """Adds up the objects of one reply; *field* holds the output: ``message`` or ``response``."""

    def __init__(self, field: str) -> None:
        self.defects = Defects()
        self.error: ReadError | None = None
        self.finish: Finish | None = None
        self._field = field
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._usage: Usage | None = None
        self._models: dict[str, None] = {}
        self._chunks = 0

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has come."""
        return bool(self._texts or self._reasoning or self._calls)

    def add(self, chunk: Json) -> None:
        """Take one object of a stream, or a whole reply."""
        if "error" in chunk:
            self.error = read_ollama_error(None, chunk, in_band=True)
            return
        if self.finish is not None:
            self.defects.add(Defect.AFTER_END, "an object after the one that is done")
        self._chunks += 1
        model = self.defects.identity(chunk, "model", "reply")
        if model:
            self._models[whole_text(model)] = None
        if len(self._models) > 1:
            self.defects.add(Defect.SECOND_START, "a second model")
        if self._field not in chunk:
            self.defects.add(Defect.NO_OUTPUT_FIELD, f"no {self._field}")
        elif self._field == "message":
            self._read_message(self.defects.need_object(chunk, "message", "reply"))
        else:
            self._say(self.defects.need_text(chunk, "response", "reply"), self._texts)
            self._say(self.defects.optional_text(chunk, "thinking", "reply"), self._reasoning)
        done = chunk.get("done")
        if not isinstance(done, bool):
            self.defects.add(Defect.WRONG_SHAPE, f"reply.done is {done!r:.60}, not true or false")
        elif done:
            self._end(chunk)

    def reading(self, *, ended: bool) -> Reading:
        """Tell what it was."""
        if self._field == "response":
            self._unwrap_call()
        finish = self.finish
        if finish is Finish.STOP and self._calls:
            finish = Finish.TOOL_CALLS  # Ollama says stop for both
        return Reading(
            text=whole_text("".join(self._texts)),
            reasoning=whole_text("".join(self._reasoning)),
            tool_calls=tuple(self._calls),
            finish=finish,
            models=tuple(self._models),
            error=self.error,
            usage=self._usage,
            defects=self.defects.found,
            ended=ended,
            starts=min(self._chunks, 1),
        )

    def _end(self, chunk: Json) -> None:
        reason = self.defects.optional_text(chunk, "done_reason", "reply")
        self.finish = _FINISHES.get(reason or "stop", Finish.OTHER)
        # Absent where the whole prompt was in the cache already.
        self._usage = Usage(
            self.defects.optional_count(chunk, "prompt_eval_count", "reply"),
            self.defects.optional_count(chunk, "eval_count", "reply"),
        )

    def _read_message(self, message: Json) -> None:
        self._say(self.defects.optional_text(message, "thinking", "message"), self._reasoning)
        self._say(self.defects.optional_text(message, "content", "message"), self._texts)
        if message.get("tool_calls") is None:
            return
        for call in self.defects.need_objects(message, "tool_calls", "message"):
            function = self.defects.need_object(call, "function", "call")
            name = self.defects.need_text(function, "name", "function")
            arguments = self.defects.need_object(function, "arguments", "function")
            self._calls.append(ToolCall(None, whole_text(name), _arguments(arguments)))

    def _say(self, words: str | None, into: list[str]) -> None:
        if words:
            into.append(words)

    def _unwrap_call(self) -> None:
        """Take a text that is a call for one: LiteLLM tells the model to call so."""
        call = call_in(whole_text("".join(self._texts)))
        if call is not None:
            self._calls, self._texts = [call], []


def call_in(text: str) -> ToolCall | None:
    """Read the call that LiteLLM makes a model write into a single prompt's answer.

    Source: LiteLLM 1.106.2, ``llms/ollama/completion/transformation.py``.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        call = parse_json(text)
    except ValueError:
        return None
    if not isinstance(call, dict) or call.keys() != _CALL or not isinstance(call["name"], str):
        return None
    given = isinstance(call["arguments"], dict)
    return ToolCall(None, call["name"], _arguments(call["arguments"])) if given else None


def _arguments(arguments: Json) -> str:
    return whole_text(as_json_text(arguments))


def read_ollama_reply(field: str, status: int, body: bytes) -> Reading:
    """Read a whole reply strictly, good or error; never raises.

    Args:
        field: Where the output is: ``message`` or ``response``.
    """
    collector = _Collector(field)
    parsed = opened(status, body, collector.defects, read_ollama_error)
    if isinstance(parsed, Reading):
        return parsed
    collector.add(parsed)
    ended = collector.finish is not None or collector.error is not None
    if not ended:
        collector.defects.add(Defect.NO_FINISH, "it is not done")
    return collector.reading(ended=ended)


class OllamaStreamReader:
    """Reads one streamed reply, piece by piece, as it arrives.

    Args:
        field: Where the output is: ``message`` or ``response``.
    """

    def __init__(self, field: str) -> None:
        self._lines = JsonLines()
        self._collector = _Collector(field)

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        for line in self._lines.feed(data):
            self._take(line)

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun."""
        return self._collector.has_output

    def close(self) -> Reading:
        """End the stream and tell what it was; the object that is done ends it."""
        collector = self._collector
        tail = self._lines.close()
        if tail:
            collector.defects.add(Defect.TRUNCATED_EVENT, tail.decode("utf-8", "replace"))
        if self._lines.oversized:
            collector.defects.wrong(f"{self._lines.oversized} lines too long to keep")
        finished = collector.finish is not None
        if not finished and collector.error is None:
            collector.defects.add(Defect.NO_FINISH, "no object is done")
        return collector.reading(ended=finished)

    def _take(self, line: bytes) -> None:
        collector = self._collector
        try:
            chunk = parse_json(line)
        except ValueError:
            collector.defects.add(Defect.EVENT_NOT_JSON, line.decode("utf-8", "replace"))
            return
        if isinstance(chunk, dict):
            collector.add(chunk)
        else:
            collector.defects.add(Defect.NOT_AN_OBJECT, line.decode("utf-8", "replace"))
