"""How long a campaign still takes, by the drills that have ended."""

import time
from collections.abc import Callable

LEAST = 3
"""Drills from which on it is estimated: fewer say nothing of the others."""


class TimeLeft:
    """Estimates; several drills at once, and pauses between them, are in the time that passed."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.planned = self.ended = 0
        self._now = now
        self._began_s: float | None = None

    def begin(self) -> None:
        """A drill begins; the time before the first one counts for none."""
        if self._began_s is None:
            self._began_s = self._now()

    @property
    def words(self) -> str:
        """Say it, as ``about 4 min left``; empty where it cannot be told, or nothing is left."""
        left = self.planned - self.ended
        if self._began_s is None or self.ended < LEAST or left <= 0:
            return ""
        return f"{about((self._now() - self._began_s) / self.ended * left)} left"


def about(seconds: float) -> str:
    """Write a length of time as people say it."""
    if seconds < 55:
        return f"about {max(10 * round(seconds / 10), 5)} s"
    minutes = max(round(seconds / 60), 1)
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(10 * round(minutes / 10), 60)
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"
