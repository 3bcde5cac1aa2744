"""Anthropic's Messages API: ``POST /v1/messages``.

Source: Anthropic's API reference for Messages and its streaming guide; what LiteLLM 1.106.2
passes on was read in its ``llms/anthropic/pass_through``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from chaos.protocol.conversation import Answer, Ask, Finish, Json
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.messages.ask import (
    input_of,
    read_messages_ask,
    text_block,
    write_messages_ask,
)
from chaos.protocol.formats.messages.reply import read_message_reply
from chaos.protocol.formats.messages.stream import MessagesStreamReader
from chaos.protocol.json.strict import compact
from chaos.protocol.pieces import CALL_PIECES, TEXT_PIECES, event_bytes, mark, slices
from chaos.protocol.reading import Reading, StreamReader

_SIGNATURE = "dW5kZXJzdHVkeQ=="  # a thinking block must be signed; nobody checks ours
_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.TOOL_CALLS: "tool_use",
    Finish.LENGTH: "max_tokens",
    Finish.CONTENT_FILTER: "refusal",
    Finish.OTHER: "pause_turn",
}


class Messages:
    """Anthropic's Messages API."""

    name: ClassVar[str] = "messages"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        return write_messages_ask(ask, model=model, stream=stream)

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        return read_messages_ask(body)

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply; a block's start and stop count as the kind of the block."""
        own_mark = mark(answer, model)
        blocks = _blocks(answer, own_mark)
        message = {
            "id": f"msg_{own_mark}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [] if stream else [block.whole for block in blocks],
            "stop_reason": None if stream else _STOP_REASONS[answer.finish],
            "stop_sequence": None,
            "usage": {
                "input_tokens": answer.input_tokens,
                "output_tokens": 1 if stream else answer.output_tokens,
            },
        }
        if not stream:
            return (Piece(PieceKind.CONTENT, compact(message).encode(errors="replace")),)
        pieces = [_piece(PieceKind.START, "message_start", message=message)]
        for position, block in enumerate(blocks):
            pieces.extend(block.pieces(position))
        ending = {"stop_reason": _STOP_REASONS[answer.finish], "stop_sequence": None}
        usage = {"output_tokens": answer.output_tokens}
        pieces.append(_piece(PieceKind.FINISH, "message_delta", delta=ending, usage=usage))
        pieces.append(_piece(PieceKind.END, "message_stop"))
        return tuple(pieces)

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as an event inside a stream that began with 200."""
        return event_bytes("error", {"type": "error", **error})

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        return "text/event-stream; charset=utf-8" if stream else "application/json"

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return read_message_reply(status, body)

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return MessagesStreamReader()


@dataclass(frozen=True, slots=True)
class _Block:
    """One content block: whole, as it starts in a stream, and what then comes bit by bit."""

    kind: PieceKind
    whole: Json
    start: Json
    deltas: tuple[Json, ...]

    def pieces(self, index: int) -> Iterator[Piece]:
        """Write the block's events."""
        yield _piece(self.kind, "content_block_start", index=index, content_block=self.start)
        for delta in self.deltas:
            yield _piece(self.kind, "content_block_delta", index=index, delta=delta)
        yield _piece(self.kind, "content_block_stop", index=index)


def _piece(kind: PieceKind, event: str, **fields: object) -> Piece:
    return Piece(kind, event_bytes(event, {"type": event, **fields}))


def _blocks(answer: Answer, own_mark: str) -> list[_Block]:
    blocks = []
    if answer.reasoning:
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        thinking = [
            {"type": "thinking_delta", "thinking": part}
            for part in slices(answer.reasoning, TEXT_PIECES)
        ]
        signature = {"type": "signature_delta", "signature": _SIGNATURE}
        whole = {**empty, "thinking": answer.reasoning, "signature": _SIGNATURE}
        blocks.append(_Block(PieceKind.REASONING, whole, empty, (*thinking, signature)))
    if answer.text:
        parts = slices(answer.text, TEXT_PIECES)
        deltas = tuple({"type": "text_delta", "text": part} for part in parts)
        blocks.append(_Block(PieceKind.CONTENT, text_block(answer.text), text_block(""), deltas))
    for position, call in enumerate(answer.tool_calls):
        call_id = call.id or f"toolu_{own_mark}_{position}"
        start: Json = {"type": "tool_use", "id": call_id, "name": call.name, "input": {}}
        # Anthropic itself begins with an empty fragment; gateways have stumbled over it.
        parts = ["", *slices(call.arguments, CALL_PIECES)]
        deltas = tuple({"type": "input_json_delta", "partial_json": part} for part in parts)
        full: Json = {**start, "input": input_of(call.arguments)}
        blocks.append(_Block(PieceKind.TOOL_CALL, full, start, deltas))
    return blocks
