"""What happens, as it happens, for everyone who listens; the last events are kept for latecomers.

Nothing waits for a listener: one that does not keep up is let go, and comes back for what it has
missed with the id of the last event that it saw.
"""

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from supervisor.web.problem import NotReadyError

MOST_KEPT = 1_000
"""Events; a campaign's beginning is still there for whoever has just started it."""

MOST_LISTENERS = 32
MOST_WAITING = 200
"""Events that one listener may be behind."""

MISSED = "missed"
"""Told to a listener who asks for more than is kept: it should read everything anew."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened.

    Attributes:
        number: Grows by one from event to event.
        campaign: The campaign that it belongs to; None if to none.
        text: Its data, as JSON on one line: a thousand of them are kept.
    """

    number: int
    name: str
    text: str
    campaign: str | None = None


class Listener:
    """One who listens; ends when it is let go, or when the daemon stops."""

    def __init__(self, campaign: str | None) -> None:
        self.campaign = campaign
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._over = False

    @property
    def over(self) -> bool:
        """Nothing more will come."""
        return self._over and not self._waiting

    def tell(self, event: Event) -> None:
        """Hand it *event*, if it is what it listens to."""
        if self._over or (self.campaign is not None and event.campaign != self.campaign):
            return
        self._waiting.append(event)
        self._news.set()

    def end(self) -> None:
        """Let it go once it has taken what waits."""
        self._over = True
        self._news.set()

    @property
    def behind(self) -> int:
        """How many events wait for it."""
        return len(self._waiting)

    async def next(self) -> Event | None:
        """Wait for the next event; None when nothing more will come."""
        while not self._waiting:
            if self._over:
                return None
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Events:
    """Where everybody tells, and everybody listens.

    Args:
        run: Tells this run of the daemon from others, whose numbers mean nothing here.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._number = 0
        self._kept: deque[Event] = deque(maxlen=MOST_KEPT)
        self._listeners: set[Listener] = set()
        self._closed = False

    def tell(self, name: str, data: Mapping[str, Any], *, campaign: str | None = None) -> Event:
        """Tell everybody that something has happened; waits for nobody.

        Args:
            name: Such as ``drill.ended``.
        """
        self._number += 1
        event = Event(self._number, name, _text(data, campaign), campaign)
        self._kept.append(event)
        for listener in tuple(self._listeners):
            if listener.behind >= MOST_WAITING:
                listener.end()
                self._listeners.discard(listener)
            else:
                listener.tell(event)
        return event

    def id(self, event: Event) -> str:
        """Write the id by which a listener says what it has seen."""
        return f"{self._run}-{event.number}"

    @property
    def listening(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    @contextmanager
    def listen(self, *, seen: str | None = None, campaign: str | None = None) -> Iterator[Listener]:
        """Listen until exit.

        Args:
            seen: The id of the last event seen; what came after it is told first.
            campaign: Only this campaign's, and those from its beginning, if nothing was seen.
        Raises:
            NotReadyError: Too many listen already, or the daemon stops.
        """
        if self._closed or len(self._listeners) >= MOST_LISTENERS:
            raise NotReadyError(
                "the daemon stops" if self._closed else f"{MOST_LISTENERS} listen already",
                remedy="Ask again later.",
            )
        listener = Listener(campaign)
        for event in self._since(seen, from_the_beginning=campaign is not None):
            listener.tell(event)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Let everybody go; nobody can listen any more."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    def _since(self, seen: str | None, *, from_the_beginning: bool) -> Iterator[Event]:
        if seen is None:
            yield from self._kept if from_the_beginning else ()
            return
        run, _, number = seen.rpartition("-")
        last = int(number) if run == self._run and number.isdecimal() else -1
        oldest = self._kept[0].number if self._kept else self._number + 1
        if not oldest - 1 <= last <= self._number:
            yield Event(0, MISSED, "{}")
            last = 0
        yield from (event for event in self._kept if event.number > last)


def _text(data: Mapping[str, Any], campaign: str | None) -> str:
    named = {"campaign": campaign} if campaign is not None else {}
    return json.dumps({**named, **data}, separators=(",", ":"), default=str)
