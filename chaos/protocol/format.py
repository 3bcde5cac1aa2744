"""The contract of a wire format: how one API writes and reads requests and replies.

A wire format is a language (chat completions, Anthropic messages, …); a dialect is who speaks
it. Implementations live in ``chaos.protocol.formats``, one file each.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from chaos.protocol.conversation import Answer, Ask, Json
from chaos.protocol.reading import Reading, StreamReader


class PieceKind(StrEnum):
    """What a piece of a streamed answer is, so that a fault knows where to strike."""

    START = "start"
    REASONING = "reasoning"
    CONTENT = "content"
    TOOL_CALL = "tool_call"
    FINISH = "finish"
    END = "end"


@dataclass(frozen=True, slots=True)
class Piece:
    """One event of a streamed answer, or the whole body of one that is not streamed."""

    kind: PieceKind
    data: bytes


class WireFormat(Protocol):
    """One API's way of writing and reading."""

    name: ClassVar[str]

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        ...

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        ...

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply; streamed, text comes in at least four pieces and calls in three."""
        ...

    def write_error_event(self, error: Json) -> bytes:
        """Write a provider's error body as an event inside a stream that began with 200."""
        ...

    def content_type(self, *, stream: bool) -> str:
        """Name the media type of a reply."""
        ...

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        ...

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        ...
