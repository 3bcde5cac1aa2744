"""What an upstream does on one connection, as data: faults write it, the witness plays it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Head:
    """Send the status line and headers; streamed bodies follow chunked."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Send bytes of the body at once."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass without a byte."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send *data* every *every_s* seconds until the caller leaves or the lease ends."""

    data: bytes
    every_s: float


@dataclass(frozen=True, slots=True)
class Silence:
    """Send nothing until the caller leaves or the lease ends, then reset."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection with a real TCP RST."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection with a FIN, whether or not the body was at its end."""


Step = Head | Send | Wait | Repeat | Silence | Reset | Close


@dataclass(frozen=True, slots=True)
class Script:
    """Steps in order; after the last one the reply ends cleanly.

    Invariant: ``Head`` comes at most once and before any ``Send`` or ``Repeat``.
    """

    steps: tuple[Step, ...]

    @property
    def status(self) -> int | None:
        """The status that the caller will see; None if there is none."""
        return next((step.status for step in self.steps if isinstance(step, Head)), None)


PACE_S = 0.15
"""Pause between stream events before something breaks.

Source: facts measured on LiteLLM 1.106.2: events sent without a pause before a cut can arrive
together with it and look like a failure before the first byte.
"""
