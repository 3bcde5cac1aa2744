"""OpenAI's Responses API: ``POST /v1/responses``.

Source: OpenAI's API reference for Responses and its streaming events; openai-python 2.54.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from chaos.protocol.conversation import Answer, Ask, Finish, Json, ToolCall
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.responses.ask import read_responses_ask, write_responses_ask
from chaos.protocol.formats.responses.reply import read_response_reply
from chaos.protocol.formats.responses.stream import ResponsesStreamReader
from chaos.protocol.json.lenient import mapping
from chaos.protocol.json.strict import compact
from chaos.protocol.pieces import CALL_PIECES, TEXT_PIECES, event_bytes, mark, slices
from chaos.protocol.reading import Reading, StreamReader

_CREATED_AT = 1_767_225_600  # replies are made from what is answered alone, not from the clock
_INCOMPLETE = {Finish.LENGTH: "max_output_tokens", Finish.CONTENT_FILTER: "content_filter"}


class Responses:
    """OpenAI's Responses API."""

    name: ClassVar[str] = "responses"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        return write_responses_ask(ask, model=model, stream=stream)

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        return read_responses_ask(body)

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply.

        The API has one event for the reason and the end, ``response.completed``: that is the
        ``END``. The last item's ``output_item.done`` stands in as the ``FINISH``.
        """
        own_mark = mark(answer, model)
        items = _items(answer, own_mark)
        whole = _response(answer, own_mark, model, [item.whole for item in items])
        if not stream:
            return (Piece(PieceKind.CONTENT, compact(whole).encode(errors="replace")),)
        begun = {
            **whole,
            "status": "in_progress",
            "incomplete_details": None,
            "output": [],
            "usage": None,
        }
        events: list[tuple[PieceKind, str, dict[str, Any]]] = [
            (PieceKind.START, "response.created", {"response": begun}),
            (PieceKind.START, "response.in_progress", {"response": begun}),
        ]
        for position, item in enumerate(items):
            events.extend(item.events(position))
        if items:
            _, last, fields = events[-1]
            events[-1] = (PieceKind.FINISH, last, fields)
        closing = "response.incomplete" if answer.finish in _INCOMPLETE else "response.completed"
        events.append((PieceKind.END, closing, {"response": whole}))
        return tuple(
            Piece(kind, event_bytes(name, {"type": name, "sequence_number": number, **fields}))
            for number, (kind, name, fields) in enumerate(events)
        )

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as an event inside a stream that began with 200.

        The error object is nested, as OpenAI sends it and as LiteLLM 1.106.2 reads it
        (``ErrorEvent``); the API reference shows its fields on the top level instead.
        """
        told = mapping(error.get("error")) or error
        return event_bytes("error", {"type": "error", "sequence_number": 2, "error": told})

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return "text/event-stream; charset=utf-8" if stream else "application/json"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_response_reply(status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return ResponsesStreamReader()


@dataclass(frozen=True, slots=True)
class _Item:
    """One output item: whole, as it is added, and the events in between."""

    kind: PieceKind
    whole: dict[str, Any]
    added: Json
    between: tuple[tuple[str, dict[str, Any]], ...]

    def events(self, output_index: int) -> Iterator[tuple[PieceKind, str, dict[str, Any]]]:
        """Write the item's events."""
        place = {"output_index": output_index}
        yield self.kind, "response.output_item.added", {**place, "item": self.added}
        for name, fields in self.between:
            yield self.kind, name, {"item_id": self.whole["id"], **place, **fields}
        yield self.kind, "response.output_item.done", {**place, "item": self.whole}


def _items(answer: Answer, own_mark: str) -> list[_Item]:
    items = []
    if answer.reasoning:
        items.append(_reasoning(answer.reasoning, own_mark))
    if answer.text:
        items.append(_message(answer.text, own_mark))
    items.extend(
        _function_call(call, f"{own_mark}_{position}")
        for position, call in enumerate(answer.tool_calls)
    )
    return items


def _reasoning(reasoning: str, own_mark: str) -> _Item:
    place = {"summary_index": 0}
    part = {"type": "summary_text", "text": reasoning}
    added: dict[str, Any] = {"id": f"rs_{own_mark}", "type": "reasoning", "summary": []}
    part_event, text_event = "response.reasoning_summary_part", "response.reasoning_summary_text"
    return _Item(
        PieceKind.REASONING,
        {**added, "summary": [part]},
        added,
        (
            (f"{part_event}.added", {**place, "part": {**part, "text": ""}}),
            *(
                (f"{text_event}.delta", {**place, "delta": piece})
                for piece in slices(reasoning, TEXT_PIECES)
            ),
            (f"{text_event}.done", {**place, "text": reasoning}),
            (f"{part_event}.done", {**place, "part": part}),
        ),
    )


def _message(text: str, own_mark: str) -> _Item:
    place = {"content_index": 0}
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    added: dict[str, Any] = {
        "id": f"msg_{own_mark}",
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    return _Item(
        PieceKind.CONTENT,
        {**added, "status": "completed", "content": [part]},
        added,
        (
            ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
            *(
                ("response.output_text.delta", {**place, "delta": piece, "logprobs": []})
                for piece in slices(text, TEXT_PIECES)
            ),
            ("response.output_text.done", {**place, "text": text, "logprobs": []}),
            ("response.content_part.done", {**place, "part": part}),
        ),
    )


def _function_call(call: ToolCall, own_mark: str) -> _Item:
    added: dict[str, Any] = {
        "id": f"fc_{own_mark}",
        "type": "function_call",
        "status": "in_progress",
        "call_id": call.id or f"call_{own_mark}",
        "name": call.name,
        "arguments": "",
    }
    event = "response.function_call_arguments"
    return _Item(
        PieceKind.TOOL_CALL,
        {**added, "status": "completed", "arguments": call.arguments},
        added,
        (
            *(
                (f"{event}.delta", {"delta": piece})
                for piece in slices(call.arguments, CALL_PIECES)
            ),
            (f"{event}.done", {"name": call.name, "arguments": call.arguments}),
        ),
    )


def _response(answer: Answer, own_mark: str, model: str, output: list[Json]) -> dict[str, Any]:
    reason = _INCOMPLETE.get(answer.finish)
    return {
        "id": f"resp_{own_mark}",
        "object": "response",
        "created_at": _CREATED_AT,
        "status": "completed" if reason is None else "incomplete",
        "error": None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": answer.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": answer.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": answer.input_tokens + answer.output_tokens,
        },
    }
