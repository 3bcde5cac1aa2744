"""What a strict reader makes of a reply: its content, and everything wrong with its form.

A reader never raises: any bytes give a ``Reading``, with named defects where the form is broken.
Readings are facts; what they mean is for the checks.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chaos.protocol.conversation import Finish, ToolCall


class Defect(StrEnum):
    """A way in which a reply breaks its wire format."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    WRONG_SHAPE = "wrong_shape"  # a required field is missing or of the wrong type
    NO_OUTPUT_FIELD = "no_output_field"  # no choices, no content, no output, no data
    EVENT_NOT_JSON = "event_not_json"
    UNKNOWN_EVENT = "unknown_event"  # an event that the format does not have
    INDEX_GAP = "index_gap"
    ORPHAN_FRAGMENT = "orphan_fragment"  # a fragment of something that was never started
    SECOND_START = "second_start"  # one reply with two beginnings
    AFTER_END = "after_end"  # output after the reply had ended
    NO_START = "no_start"
    NO_FINISH = "no_finish"  # the stream ended without saying why the answer did
    NO_TERMINATOR = "no_terminator"  # the stream ended without its closing event
    TRUNCATED_EVENT = "truncated_event"  # bytes of an event whose end never came
    NO_ID = "no_id"  # the reply does not say its id or its model, which no client needs
    MISSING_CALL_ID = "missing_call_id"
    SHARED_INDEX = "shared_index"  # two tool calls of a stream in one place


@dataclass(frozen=True, slots=True)
class DefectFound:
    """A defect and where it was seen."""

    defect: Defect
    detail: str


@dataclass(frozen=True, slots=True)
class ReadError:
    """An error as the reply tells it.

    Attributes:
        well_formed: It has the envelope that the wire format prescribes.
        in_band: It came inside a body or stream of status 2xx.
        status: The status that the error itself names, where it names one.
    """

    message: str
    type: str | None = None
    code: str | None = None
    status: int | None = None
    well_formed: bool = True
    in_band: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the reply counts them; None where it does not say.

    Attributes:
        cached_tokens: Of the input, read from a cache or written to it.
    """

    input_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A reply, read strictly.

    Attributes:
        text: All visible text, put together in order.
        reasoning: Text that the format marks as reasoning.
        refusal: Text that the format marks as a refusal.
        tool_calls: In the order in which they began; fragments put together.
        finish: Why the answer ended, as the reply says; None where it does not say.
        ids: Distinct response ids, in order of appearance: two mean two answers in one.
        models: Distinct values of the ``model`` field, in order of appearance.
        vectors: The embeddings, in the order in which they came; what is no number is ``nan``.
        ended: A stream had its closing event; a whole body was a whole object.
        starts: How many beginnings of an answer the stream had.
        fingerprint: ``system_fingerprint``, the engine's own mark, where the format has one.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish | None = None
    ids: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    error: ReadError | None = None
    usage: Usage | None = None
    vectors: tuple[tuple[float, ...], ...] = ()
    defects: tuple[DefectFound, ...] = ()
    ended: bool = False
    starts: int = 0
    fingerprint: str | None = None

    @property
    def has_output(self) -> bool:
        """It carries something that a caller would use."""
        return bool(self.text.strip() or self.tool_calls or self.vectors)

    @property
    def vector_sizes(self) -> tuple[int, ...]:
        """Length of each embedding."""
        return tuple(map(len, self.vectors))

    @property
    def complete(self) -> bool:
        """It came to its end: nothing that was still to come would change the answer."""
        return self.ended or self.finish is not None

    def has(self, *defects: Defect) -> bool:
        """Tell whether any of *defects* was found."""
        return any(found.defect in defects for found in self.defects)


class StreamReader(Protocol):
    """Reads one streamed reply, piece by piece, as it arrives."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        ...

    @property
    def has_output(self) -> bool:
        """Text, reasoning or a tool call has begun: the first token is here."""
        ...

    def close(self) -> Reading:
        """End the stream and tell what it was; an open event is a defect."""
        ...
