"""What is asked and what is answered, in no provider's language.

A traffic shape makes an ``Ask``, a wire format writes it down, a stand-in reads it again and
makes an ``Answer``. Nothing here knows HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Json = Mapping[str, Any]
Role = Literal["system", "user", "assistant", "tool"]


class Finish(StrEnum):
    """Why an answer ended, in our words for every provider's."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool on offer; *parameters* is its JSON schema.

    Attributes:
        lacks: Words of JSON schema that there was no place for where it was read.
    """

    name: str
    description: str
    parameters: Json
    lacks: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool; *arguments* is JSON text as it was sent, not checked."""

    id: str | None
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation.

    Attributes:
        tool_call_id: Which call a ``tool`` turn answers.
        images: Pictures that go with the text of a ``user`` turn, as PNG in base64.
    """

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseSchema:
    """The JSON schema that the answer's text has to fit.

    Attributes:
        lacks: Words of JSON schema that there was no place for where it was read.
    """

    name: str
    schema: Json
    lacks: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request in neutral form.

    Attributes:
        tool_choice: ``auto``, ``none``, ``required``, or the name of the one tool to call.
        inputs: Texts to embed; only for embeddings, and then ``turns`` is empty.
        extra: Parameters that a client profile adds as they are, by their name on the wire.
        lacks: Fields of this class that there was no place for where it was read.
    """

    turns: tuple[Turn, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    parallel_tool_calls: bool | None = None
    response_schema: ResponseSchema | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    inputs: tuple[str, ...] = ()
    dimensions: int | None = None
    extra: Json | None = None
    lacks: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def text(self) -> str:
        """All text of the request, turn after turn."""
        return "\n".join([*(turn.text for turn in self.turns), *self.inputs])

    @property
    def prefilled(self) -> bool:
        """It ends with the model's own words, to be gone on with."""
        last = self.turns[-1] if self.turns else None
        return last is not None and last.role == "assistant" and not last.tool_calls


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer in neutral form.

    Attributes:
        vectors: One embedding for each input; only for embeddings.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    finish: Finish = Finish.STOP
    vectors: tuple[tuple[float, ...], ...] = ()
    input_tokens: int = 12
    output_tokens: int = 8
