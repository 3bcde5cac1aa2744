"""Read a streamed reply of OpenAI's Responses API strictly, event by event.

    response.created response.in_progress
      (output_item.added (content_part.added …delta* …done content_part.done)* output_item.done)*
    response.completed | response.incomplete | response.failed

Strict where it would break a client: openai-python appends items and parts as they are added,
looks deltas up by ``output_index`` and ``content_index``, and builds its final answer from the
closing event alone. Not looked at, because LiteLLM's healthy replies break them and no client
minds (seen on 1.106.2, every provider but those that speak this API themselves):

- ``sequence_number``: its bridge leaves it out, except for a constant 1 in the message's
  ``output_item.done`` (``litellm_completion_transformation/streaming_iterator.py``);
- ``event:`` lines: it writes none, except for ``response.failed``; ``type`` says it all;
- ``data: [DONE]`` after the closing event: openai-python stops reading there;
- the ``model`` that it puts on every event: no field of this API, and always the name asked for;
- ``reasoning_summary_part.added``: its bridge goes straight to the text of the summary.
"""

from collections.abc import Callable

from chaos.protocol.conversation import Finish, Json
from chaos.protocol.formats.responses.reply import (
    Item,
    Part,
    calls_of,
    describe,
    read_failure,
    read_finish,
    read_item,
    read_output,
    read_part,
    read_response_reply,
    read_usage,
    reasoning_of,
    text_of,
)
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.strict import distinct, shown
from chaos.protocol.json.text import whole_text
from chaos.protocol.reading import Defect, ReadError, Reading, Usage
from chaos.protocol.sse import SseEvent
from chaos.protocol.strict_events import StrictEvents

_CLOSING = frozenset({"response.completed", "response.incomplete", "response.failed"})
_SILENT = (
    "response.output_text.annotation.",
    "response.reasoning_summary_part.",
    "response.reasoning_part.",
    "response.audio.",
    "response.code_interpreter_call",
    "response.custom_tool_call_input.",
    "response.file_search_call.",
    "response.image_generation_call.",
    "response.mcp_",
    "response.shell_call",
    "response.web_search_call.",
    "image_generation.",
    "keepalive",
)
"""Beginnings of events that carry nothing for a ``Reading``."""


class ResponsesStreamReader:
    """One streamed reply of the Responses API."""

    def __init__(self) -> None:
        self._log = Defects()
        self._events = StrictEvents(self._log)
        self._items: list[Item] = []  # all that came, orphans too
        self._present: list[Item] = []  # those of the present response, by output_index
        self._ids: list[str] = []
        self._models: list[str] = []
        self._starts = 0
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._error: ReadError | None = None
        self._ended = False
        text, refusal = "response.output_text", "response.refusal"
        summary, thought = "response.reasoning_summary_text", "response.reasoning_text"
        arguments = "response.function_call_arguments"
        self._handlers: dict[str, Callable[[str, Json], None]] = {
            "response.created": self._on_created,
            "response.in_progress": self._on_lifecycle,
            "response.queued": self._on_lifecycle,
            "response.output_item.added": self._on_item_added,
            "response.output_item.done": self._on_item_done,
            "response.content_part.added": self._on_part_added,
            "response.content_part.done": self._on_part_done,
            f"{text}.delta": self._on_text_delta,
            f"{refusal}.delta": self._on_text_delta,
            f"{text}.done": self._on_text_done,
            f"{refusal}.done": self._on_text_done,
            f"{summary}.delta": self._on_thought_delta,
            f"{thought}.delta": self._on_thought_delta,
            f"{summary}.done": self._on_thought_done,
            f"{thought}.done": self._on_thought_done,
            f"{arguments}.delta": self._on_arguments_delta,
            f"{arguments}.done": self._on_arguments_done,
            **dict.fromkeys(_CLOSING, self._on_closing),
        }

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun."""
        return any(
            item.type == "function_call"
            or any(item.thoughts)
            or any(any(part.pieces) for part in item.parts)
            for item in self._items
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        for event in self._events.feed(data):
            self._take(event)

    def close(self) -> Reading:
        """End the stream and tell what it was."""
        other = self._events.close()
        if other is not None:
            self._error = read_response_reply(200, other).error
        if self._error is None:
            if not self._starts:
                self._log.add(Defect.NO_START, "no response.created")
            if self._finish is None:
                self._log.add(Defect.NO_FINISH, "no closing event with a final status")
            if not self._ended:
                self._log.add(Defect.NO_TERMINATOR, "no response.completed")
        return Reading(
            text=text_of(self._items),
            reasoning=reasoning_of(self._items),
            refusal=text_of(self._items, "refusal"),
            tool_calls=calls_of(self._items),
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
        if event.data == "[DONE]":
            if not self._ended and self._error is None:
                self._log.add(Defect.UNKNOWN_EVENT, "[DONE] before the response had ended")
            return
        payload = self._events.read(event)
        if payload is None:
            return
        kind = payload.get("type")
        if kind == "error" or event.event == "error" or payload.get("error"):
            self._on_error(payload)
            return
        kind = self._events.kind(event, payload)
        handler = self._handlers.get(kind)
        if handler is not None:
            self._check_place(kind)
            handler(kind, payload)
        elif not kind.startswith(_SILENT):
            self._log.add(Defect.UNKNOWN_EVENT, f"{kind!r} is no event of this API")

    def _check_place(self, kind: str) -> None:
        if kind == "response.created":
            return
        if self._ended or (self._error is not None and kind != "response.failed"):
            self._log.add(Defect.AFTER_END, f"{kind} after the reply had ended")
        elif not self._starts and kind != "response.failed":
            # Source: LiteLLM 1.106.2 answers a failure before the first event with a lone
            # response.failed; clients see the error, so nothing is missing.
            self._log.add(Defect.NO_START, f"{kind} before response.created")

    def _on_error(self, payload: Json) -> None:
        """Take an ``error`` event; nested as it is sent, or flat as the reference shows it.

        Well formed is one that says by its type that it is an error. openai-python raises for
        any event with an ``error`` in it, other clients go by the type.
        """
        typed = payload.get("type") == "error"
        flat = {**payload, "type": None}  # the event's type, not the error's
        found = describe(payload.get("error") or flat, well_formed=typed)
        self._error = self._error or found

    def _on_created(self, kind: str, payload: Json) -> None:
        self._starts += 1
        if self._starts > 1:
            # Source: LiteLLM 1.106.2 splices a fallback's whole stream in after the primary's
            # words. What follows counts from zero and must end by itself.
            self._log.add(Defect.SECOND_START, "a second response.created")
            self._present = []
            self._finish, self._ended = None, False
        self._on_lifecycle(kind, payload)

    def _on_lifecycle(self, kind: str, payload: Json) -> None:
        self._response(kind, payload)

    def _response(self, kind: str, payload: Json) -> Json:
        response = self._log.need_object(payload, "response", kind)
        self._ids.append(self._log.identity(response, "id", f"{kind}: response"))
        # A failure before the first event has no model to tell.
        if kind != "response.failed" or response.get("model") is not None:
            self._models.append(self._log.identity(response, "model", f"{kind}: response"))
        return response

    def _on_item_added(self, kind: str, payload: Json) -> None:
        index = self._log.need_count(payload, "output_index", kind)
        expected = len(self._present)
        if index is not None and index != expected:
            self._log.add(Defect.INDEX_GAP, f"item {index} is added where {expected} is next")
        item = read_item(self._log.need_object(payload, "item", kind), kind, self._log, begun=True)
        self._items.append(item)
        self._present.append(item)

    def _on_item_done(self, kind: str, payload: Json) -> None:
        done = read_item(self._log.need_object(payload, "item", kind), kind, self._log)
        item = self._item(kind, payload)
        if item is None:
            self._items.append(done)
            return
        if item.done:
            self._log.wrong("an item is done twice")
        item.done = True
        if done.type != item.type:
            self._log.wrong(f"an item added as {item.type!r} is done as {done.type!r}")
        self._agree(kind, text_of([done]), text_of([item]))
        if item.type == "function_call":
            self._agree(kind, done.call.arguments, item.call.arguments)
            self._agree(f"{kind}: name", done.name, item.name)
            self._agree(f"{kind}: call_id", done.call_id, item.call_id)

    def _on_part_added(self, kind: str, payload: Json) -> None:
        part = read_part(self._log.need_object(payload, "part", kind), f"{kind}: part", self._log)
        item = self._item(kind, payload)
        if item is None:
            return
        # Reasoning has parts too: vLLM announces them, and their text comes by its own events.
        if item.type != "message":
            return
        index = self._log.need_count(payload, "content_index", kind)
        if index is not None and index != len(item.parts):
            self._log.add(Defect.INDEX_GAP, f"part {index} where {len(item.parts)} is next")
        item.parts.append(part)

    def _on_part_done(self, kind: str, payload: Json) -> None:
        done = read_part(self._log.need_object(payload, "part", kind), f"{kind}: part", self._log)
        item = self._item(kind, payload)
        if item is not None and item.type == "message":
            part = self._part(kind, payload, item)
            if part is not None:
                self._agree(kind, done.text, part.text)

    def _on_text_delta(self, kind: str, payload: Json) -> None:
        delta = self._log.need_text(payload, "delta", kind)
        item = self._item(kind, payload)
        part = None if item is None else self._part(kind, payload, item)
        wanted = kind.split(".")[1]
        if part is None:
            # Its words were sent all the same, and a check may want to see them.
            self._items.append(Item("orphan", parts=[Part(wanted, [delta])]))
            return
        if part.type != wanted:
            self._log.wrong(f"{kind} for a part of type {part.type!r}")
        part.pieces.append(delta)

    def _on_text_done(self, kind: str, payload: Json) -> None:
        key = "refusal" if kind == "response.refusal.done" else "text"
        text = self._log.need_text(payload, key, kind)
        item = self._item(kind, payload)
        part = None if item is None else self._part(kind, payload, item)
        if part is None:
            return
        if text and not part.text:
            # Source: LiteLLM 1.106.2, return_default_done_events: text that came in no delta
            # is told at the end. Whole, so nobody loses it.
            part.pieces.append(text)
        self._agree(kind, text, part.text)

    def _on_thought_delta(self, kind: str, payload: Json) -> None:
        delta = self._log.need_text(payload, "delta", kind)
        item = self._item(kind, payload)
        if item is None:
            self._items.append(Item("orphan", thoughts=[delta]))
        else:
            item.thoughts.append(delta)

    def _on_thought_done(self, kind: str, payload: Json) -> None:
        text = self._log.need_text(payload, "text", kind)
        item = self._item(kind, payload)
        # One item can have several summaries, so each is only a part of what came.
        if item is not None and text not in "".join(item.thoughts):
            self._log.wrong(f"{kind} tells other reasoning than its deltas")

    def _on_arguments_delta(self, kind: str, payload: Json) -> None:
        delta = self._log.need_text(payload, "delta", kind)
        item = self._call(kind, payload)
        if item is not None:
            item.arguments.append(delta)

    def _on_arguments_done(self, kind: str, payload: Json) -> None:
        arguments = self._log.need_text(payload, "arguments", kind)
        item = self._call(kind, payload)
        if item is None:
            return
        if arguments and not item.call.arguments:
            item.arguments.append(arguments)  # short arguments may come at once
        self._agree(kind, arguments, item.call.arguments)

    def _on_closing(self, kind: str, payload: Json) -> None:
        response = self._response(kind, payload)
        self._ended = True
        self._usage = read_usage(response, self._log) or self._usage
        if kind == "response.failed":
            failure = read_failure({"status": "failed", **response})
            self._error = self._error or failure
            return
        wanted = kind.removeprefix("response.")
        if response.get("status") != wanted:
            self._log.wrong(f"{kind} with status {shown(response.get('status'))}")
        whole = read_output(response, self._log)
        self._finish = read_finish(response, whole, self._log)
        self._error = self._error or read_failure(response)
        # openai-python's final answer is this event's, so both must be the same answer.
        self._agree(f"{kind}: text", text_of(whole), text_of(self._present))
        streamed, told = calls_of(self._present), calls_of(whole)
        self._agree(f"{kind}: calls", str(told), str(streamed))

    def _agree(self, where: str, told: str | None, streamed: str | None) -> None:
        if whole_text(told or "") != whole_text(streamed or ""):
            self._log.wrong(f"{where} tells {shown(told)}, streamed was {shown(streamed)}")

    def _item(self, kind: str, payload: Json) -> Item | None:
        """Look an item up as openai-python does: by its position."""
        index = self._log.need_count(payload, "output_index", kind)
        if index is not None and 0 <= index < len(self._present):
            return self._present[index]
        self._log.add(Defect.ORPHAN_FRAGMENT, f"{kind} for item {shown(index)}, never added")
        return None

    def _part(self, kind: str, payload: Json, item: Item) -> Part | None:
        index = self._log.need_count(payload, "content_index", kind)
        if index is not None and 0 <= index < len(item.parts):
            return item.parts[index]
        self._log.add(Defect.ORPHAN_FRAGMENT, f"{kind} for part {shown(index)}, never added")
        return None

    def _call(self, kind: str, payload: Json) -> Item | None:
        item = self._item(kind, payload)
        if item is None or item.type == "function_call":
            return item
        self._log.add(Defect.ORPHAN_FRAGMENT, f"{kind} for an item of type {item.type!r}")
        return None
