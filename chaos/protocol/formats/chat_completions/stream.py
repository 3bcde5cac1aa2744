"""Read a streamed reply of chat completions strictly, chunk by chunk.

    role chunk   content, reasoning and tool-call deltas …   finish_reason   usage   [DONE]

The role may stand on the first chunk or on all, usage in a chunk of its own or with choices.
A chunk of another id that carries output after output, or a new role chunk after deltas without
one, is a second answer in the same reply. Ids that change with every chunk name no answer: so does
LiteLLM 1.106.2 stream what comes from Ollama.

Source: https://platform.openai.com/docs/api-reference/chat-streaming; LiteLLM 1.106.2 and vLLM
0.32.0, recorded.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.formats.chat_completions.reply import (
    choice_error,
    distinct,
    finished_call,
    read_finish,
    read_said,
    read_usage,
)
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.strict import shown
from chaos.protocol.json.text import excerpt, parse_json, whole_text
from chaos.protocol.openai_error import error_in, read_error
from chaos.protocol.reading import Defect, ReadError, Reading, Usage
from chaos.protocol.sse import SseEvent, SseReader

_HEAD_BYTES = 64 << 10
LEAST_IDS = 3
"""So many ids, each on one chunk of output, are the chunks' own; two may be two answers."""

_DONE_LINES = ("data: [DONE]", "data:[DONE]")
_SSE_LINES = (b"data:", b"event:", b":", b"id:", b"retry:")


@dataclass(slots=True)
class _OpenCall:
    id: str | None = None
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ChatCompletionsStream:
    """One streamed reply; see ``chaos.protocol.reading.StreamReader``."""

    def __init__(self) -> None:
        self._sse = SseReader()
        self._found = Defects()
        # The first bytes, until an event came: what is no event stream is read from them.
        self._head = bytearray()
        self._done = False
        self._starts = 0
        self._id: str | None = None
        self._bare_output = False  # a delta of the current answer came without a role
        self._ids: dict[str, None] = {}
        self._chunks_of: set[str] = set()  # ids of chunks with a choice
        self._carriers: Counter[str] = Counter()  # chunks with output, by id
        self._begun_again: list[str] = []
        self._earlier_calls: set[int] = set()  # places of calls before the last beginning
        self._shared: list[str] = []
        self._models: dict[str, None] = {}
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[_OpenCall] = []
        self._by_index: dict[int, _OpenCall] = {}
        self._finish: Finish | None = None
        self._error: ReadError | None = None
        self._usage: Usage | None = None
        self._fingerprint: str | None = None

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun: the first token is here."""
        return bool(self._text or self._reasoning or self._refusal or self._calls)

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        if not self._sse.events and len(self._head) < _HEAD_BYTES:
            self._head += data
        for event in self._sse.feed(data):
            self._take(event)

    def close(self) -> Reading:
        """End the stream and tell what it was; an open event is a defect."""
        tail = self._sse.close()
        if self._is_event_stream():
            if tail.strip() in _DONE_LINES:
                self._done = True  # nothing was still to come
            elif tail:
                self._found.add(Defect.TRUNCATED_EVENT, tail)
        else:
            self._read_other_body()
        if self._sse.oversized:
            self._found.add(Defect.WRONG_SHAPE, f"{self._sse.oversized} events too long to keep")
        if self._sse.events and self._sse.junk:
            self._found.add(Defect.WRONG_SHAPE, f"{self._sse.junk} lines that are no event's")
        anonymous = self._ids_of_chunks()
        if anonymous:
            self._found.add(
                Defect.NO_ID, f"{len(self._chunks_of)} chunks, each with an id of its own"
            )
        for begun in () if anonymous else self._begun_again:
            self._found.add(Defect.SECOND_START, begun)
        for shared in self._shared if anonymous else ():
            self._found.add(Defect.SHARED_INDEX, shared)
        calls = self._finished_calls()
        # Who was told of an error was told that the answer ended, and why.
        if self._error is None:
            self._miss_the_end()
        return Reading(
            text=whole_text("".join(self._text)),
            reasoning=whole_text("".join(self._reasoning)),
            refusal=whole_text("".join(self._refusal)),
            tool_calls=calls,
            finish=self._finish,
            ids=() if anonymous else tuple(self._ids),
            models=tuple(self._models),
            error=self._error,
            usage=self._usage,
            defects=self._found.found,
            ended=self._done,
            starts=1 if anonymous else self._starts,
            fingerprint=self._fingerprint,
        )

    def _ids_of_chunks(self) -> bool:
        """Tell whether each chunk has an id of its own, so that none is the answer's."""
        enough = len(self._chunks_of) >= LEAST_IDS
        return enough and max(self._carriers.values(), default=0) == 1

    def _is_event_stream(self) -> bool:
        head = self._head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return bool(self._sse.events) or not head or head.startswith(_SSE_LINES)

    def _read_other_body(self) -> None:
        """Say what came instead of events: a JSON body mostly, or a proxy's page."""
        self._found.add(Defect.WRONG_SHAPE, f"no event stream: {excerpt(bytes(self._head))}")
        try:
            body = parse_json(bytes(self._head))
        except ValueError:
            return
        self._error = error_in(body, in_band=True)

    def _miss_the_end(self) -> None:
        if not self._starts:
            self._found.add(Defect.NO_START, "no chunk began an answer")
        if self._finish is None:
            self._found.add(Defect.NO_FINISH, "no chunk had a finish_reason")
        if not self._done:
            self._found.add(Defect.NO_TERMINATOR, "no [DONE] came")

    def _finished_calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            finished_call(call.id, call.name, "".join(call.arguments), self._found)
            for call in self._calls
        )

    def _take(self, event: SseEvent) -> None:
        if event.data.strip() == "[DONE]":
            self._done = True
            return
        if self._done:
            self._found.add(Defect.AFTER_END, f"after [DONE]: {event.data}")
            return
        if event.event not in (None, "message", "error"):
            self._found.add(Defect.UNKNOWN_EVENT, event.event)
        try:
            body = parse_json(event.data)
        except ValueError:
            self._found.add(Defect.EVENT_NOT_JSON, event.data or "an event without data")
            return
        if not isinstance(body, dict):
            self._found.add(Defect.NOT_AN_OBJECT, event.data)
            return
        error = error_in(body, in_band=True)
        if error is None and event.event == "error":
            error = read_error(body, in_band=True)
        if error is not None:
            self._error = self._error or error
        self._take_chunk(body, is_error=error is not None)

    def _take_chunk(self, body: dict[str, Any], *, is_error: bool) -> None:
        self._usage = read_usage(body) or self._usage
        choices = body.get("choices")
        if choices is None:
            if not is_error and "usage" not in body:
                self._found.add(Defect.NO_OUTPUT_FIELD, f"a chunk without choices: {shown(body)}")
            return
        if not isinstance(choices, list):
            self._found.add(Defect.WRONG_SHAPE, f"choices is no list: {shown(choices)}")
            return
        # What a chunk without choices says of itself is no part of the answer: Azure's first
        # has an empty id, LiteLLM's story of its fallbacks an id of its own.
        if choices:
            self._models.update(dict.fromkeys(distinct(body.get("model"))))
            for fingerprint in distinct(body.get("system_fingerprint")):
                self._fingerprint = fingerprint
        for choice in choices:
            if isinstance(choice, dict):
                self._take_choice(body.get("id"), choice)
            else:
                self._found.add(Defect.WRONG_SHAPE, f"a choice is no object: {shown(choice)}")

    def _take_choice(self, reply_id: Any, choice: dict[str, Any]) -> None:
        if choice.get("index") != 0:
            self._found.add(Defect.WRONG_SHAPE, f"a choice of index {shown(choice.get('index'))}")
            if isinstance(choice.get("index"), int):
                return
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            # Azure's asynchronous filter reports on what it has let through before.
            if "content_filter_results" not in choice:
                self._found.add(Defect.WRONG_SHAPE, f"a choice without a delta: {shown(choice)}")
            delta = {}
        said = read_said(delta, self._found)
        fragments = self._fragments(delta)
        carries = bool(said or fragments)
        self._begin(reply_id, delta.get("role"), carries=carries)
        if carries and (self._finish is not None or self._error is not None):
            ended_by = "an error" if self._error is not None else "a finish_reason"
            self._found.add(Defect.AFTER_END, f"output after {ended_by}: {shown(delta)}")
        for parts, text in (
            (self._text, said.text),
            (self._reasoning, said.reasoning),
            (self._refusal, said.refusal),
        ):
            if text:
                parts.append(text)
        for fragment in fragments:
            self._take_fragment(fragment)
        self._finish = read_finish(choice, self._found) or self._finish
        self._error = self._error or choice_error(choice)

    def _begin(self, reply_id: Any, role: Any, *, carries: bool) -> None:
        """See whether a chunk begins an answer, and whether it is the second to begin."""
        told = distinct(reply_id)
        self._chunks_of.update(told)
        self._carriers.update(told if carries else ())
        if not carries and not role:
            self._ids.update(dict.fromkeys(told if not self._ids else ()))
            return
        if role and role != "assistant":
            self._found.add(Defect.WRONG_SHAPE, f"the role is {shown(role)}")
        if not told:
            self._found.add(Defect.NO_ID, "a chunk without an id")
        self._ids.update(dict.fromkeys(told))
        new_id = bool(told) and self._id is not None and told[0] != self._id
        # Some send the role with every delta, even after the finish: that begins nothing.
        new_role = bool(role) and self._bare_output and self._finish is None
        if not self._starts or new_id or new_role:
            if self._starts and self.has_output:
                begun = f"id {told[0]!r} after {self._id!r}" if new_id else "a role chunk again"
                self._begun_again.append(begun)
            self._starts += 1
            self._bare_output = False
            # A second answer counts its calls from zero again.
            self._earlier_calls.update(self._by_index)
            self._by_index = {}
        if told:
            self._id = told[0]
        self._bare_output = self._bare_output or (carries and not role)

    def _fragments(self, delta: dict[str, Any]) -> list[Any]:
        fragments = delta.get("tool_calls")
        if fragments is None:
            fragments = []
        elif not isinstance(fragments, list):
            self._found.add(Defect.WRONG_SHAPE, f"tool_calls is no list: {shown(fragments)}")
            fragments = []
        if delta.get("function_call"):
            self._found.add(Defect.WRONG_SHAPE, "a call in function_call, which tools do not use")
            fragments = [*fragments, {"index": 0, "function": delta["function_call"]}]
        return fragments

    def _take_fragment(self, fragment: Any) -> None:
        fragment = fragment if isinstance(fragment, dict) else {}
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        call_id, name = fragment.get("id") or None, function.get("name") or None
        arguments = function.get("arguments")
        call = self._call_of(fragment, call_id, name)
        if call is None:
            return
        if isinstance(call_id, str):
            call.id = call_id
        if isinstance(name, str) and name != call.name:
            if call.name:
                self._found.add(Defect.WRONG_SHAPE, f"a call of {call.name!r} renamed {name!r}")
            call.name = name
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif arguments is not None:
            self._found.add(Defect.WRONG_SHAPE, f"arguments are no text: {shown(arguments)}")

    def _call_of(self, fragment: dict[str, Any], call_id: Any, name: Any) -> _OpenCall | None:
        """Find the call that a fragment goes on with, or begin it; None for an orphan."""
        index = fragment.get("index")
        if not isinstance(index, int) or isinstance(index, bool):
            self._found.add(Defect.WRONG_SHAPE, f"a fragment without an index: {shown(fragment)}")
            index = len(self._by_index) if call_id or name else len(self._by_index) - 1
        call = self._by_index.get(index)
        if call is not None:
            if not (call_id and call.id and call_id != call.id):
                return call
            self._found.add(
                Defect.SHARED_INDEX, f"call {index} begins twice, as {shown(call_id)} too"
            )
        elif not call_id and not name:
            self._found.add(Defect.ORPHAN_FRAGMENT, f"call {index} never began: {shown(fragment)}")
            return None
        elif index != len(self._by_index):
            self._found.add(Defect.INDEX_GAP, f"call {index} after {len(self._by_index)} calls")
        if index in self._earlier_calls:
            self._shared.append(f"call {index} begins twice, as {shown(call_id)} too")
        call = _OpenCall()
        self._calls.append(call)
        self._by_index[index] = call
        return call
