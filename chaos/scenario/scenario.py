"""One thing to rehearse, its key, and the path that it rehearses."""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.faults.fault import FaultName
from chaos.gateway.topology import Trigger

NO_HOP = "none"
"""The serving hop of a path where everything is made to fail."""


@dataclass(frozen=True, slots=True)
class FallbackPath:
    """What coverage and freshness are about: who serves what, when the primary fails.

    Attributes:
        hop: The group that has to serve; ``none`` where everything is made to fail.
    """

    group: str
    trigger: Trigger
    hop: str
    surface: str
    shape: str
    stream: bool

    def __str__(self) -> str:
        parts = (self.group, self.trigger, self.hop, self.surface, self.shape)
        return "/".join((*parts, streaming_word(stream=self.stream)))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing to rehearse.

    Attributes:
        chain: Model groups, hop 0 first.
        depth: How many hops are made to fail. From 1 to ``len(chain)``.
        fault: The fault that was asked for.
        faults: What each failing hop really gets: a dialect may lack the fault.
    """

    group: str
    chain: tuple[str, ...]
    trigger: Trigger
    depth: int
    fault: FaultName
    faults: Mapping[str, FaultName]
    shape: str
    surface: str
    stream: bool

    @property
    def expected_hop(self) -> str | None:
        """The hop that must serve; None if everything is made to fail."""
        return self.chain[self.depth] if self.depth < len(self.chain) else None

    @property
    def everything_down(self) -> bool:
        """No hop is left to serve."""
        return self.depth >= len(self.chain)

    @property
    def key(self) -> str:
        """Its text form; stable, and the identity of the scenario across runs."""
        return "/".join((self.group, self.trigger, str(self.depth), *self._what))

    @property
    def pattern(self) -> str:
        """Its key without group and depth, for rules that hold on any gateway."""
        return "/".join((self.trigger, *self._what))

    @property
    def path(self) -> FallbackPath:
        """The path that it rehearses, with whatever fault."""
        return FallbackPath(
            self.group,
            self.trigger,
            self.expected_hop or NO_HOP,
            self.surface,
            self.shape,
            self.stream,
        )

    @property
    def _what(self) -> tuple[str, ...]:
        return (str(self.fault), self.shape, self.surface, streaming_word(stream=self.stream))


def streaming_word(*, stream: bool) -> str:
    """Name the way an answer comes, as a path's text form does."""
    return "stream" if stream else "whole"
