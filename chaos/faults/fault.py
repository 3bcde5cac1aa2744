"""The contract of a fault: a way an upstream fails, as a script for the witness to play."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

from chaos.faults.script import Script
from chaos.protocol.conversation import Answer
from chaos.protocol.dialect import Call, Dialect
from chaos.protocol.format import Piece


class Phase(StrEnum):
    """When a fault strikes; what a drill has to show to pass depends on it."""

    BEFORE_FIRST_BYTE = "before_first_byte"
    AFTER_FIRST_BYTE = "after_first_byte"
    IN_2XX = "in_2xx"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault has to work with on one attempt.

    Attributes:
        answer: What a willing provider would have said to this very request.
        variant: The part after the dot in ``rate_limit.retry_after_20``; else None.
    """

    dialect: Dialect
    call: Call
    answer: Answer
    variant: str | None = None

    def pieces(self) -> tuple[Piece, ...]:
        """Write the willing provider's reply, piece by piece."""
        return self.call.format.write_answer(
            self.answer, model=self.call.model, stream=self.call.stream
        )

    @property
    def content_type(self) -> str:
        """The media type of that reply."""
        return self.call.format.content_type(stream=self.call.stream)


class Fault(ABC):
    """A way to fail.

    Attributes:
        name: As the contract lists it.
        summary: One sentence for ``understudy faults``.
        phase: When it strikes.
        streams_only: It makes sense only where the client asked for a stream.
        tools_only: It makes sense only where the reply carries a tool call.
        chats_only: It makes no sense for embeddings.
        twin_only: It needs an address of its own.
        wordless: It says nothing in the language of the hop's good replies.
        status_fault: It is a row of error answers, so a dialect may lack it.
        variants: What may follow the dot, ``N`` for a number; a status fault's are its rows.
        taken_for: The status that a gateway makes of it, where it is no answer at all.
    """

    name: str
    summary: str
    phase: Phase
    streams_only: bool = False
    tools_only: bool = False
    chats_only: bool = False
    twin_only: bool = False
    wordless: bool = False
    status_fault: bool = False
    variants: tuple[str, ...] = ()
    taken_for: int | None = None

    def lasts_s(self, variant: str | None) -> float | None:  # noqa: ARG002 -- most have no end
        """Say how long it lasts where its end is part of it, in seconds; None where it is not.

        A fault that ends is drilled by a sequence of requests, over its end.
        """
        return None

    @abstractmethod
    def script(self, scene: Scene) -> Script:
        """Say what the upstream does instead of answering."""


@dataclass(frozen=True, slots=True)
class FaultName:
    """A fault as people write it: ``name[.variant][.once]``.

    Attributes:
        once: Only the first attempt at the hop fails.
    """

    name: str
    variant: str | None = None
    once: bool = False

    @classmethod
    def parse(cls, text: str) -> "FaultName":
        """Take the text apart; whether such a fault exists is for the registry to say."""
        name, *rest = text.split(".")
        once = bool(rest) and rest[-1] == "once"
        variants = rest[:-1] if once else rest
        return cls(name, ".".join(variants) or None, once)

    def __str__(self) -> str:
        """Write it as people do."""
        return ".".join(filter(None, (self.name, self.variant, "once" if self.once else None)))
