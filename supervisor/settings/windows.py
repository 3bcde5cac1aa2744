"""When drills may run: windows and blackouts in a time zone. Pure.

A window is a time of day on some days of the week (``Mon-Fri 07:00-20:00``, ``22:00-06:00``), or
one stretch of time (``2026-12-24 00:00/2026-12-27 00:00``). Its times are those of the clock on
the wall: an hour that a change of the clock repeats is in a window twice, one that it leaves out
never comes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKLY = re.compile(r"(?:(?P<days>[A-Za-z,\-]+) +)?(?P<begin>\d\d:\d\d)-(?P<end>\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Weekly:
    """A time of day on some days; one that ends before it begins ends on the next day.

    Attributes:
        days: Of the day on which it begins; Monday is 0.
    """

    days: frozenset[int]
    begin: time
    end: time

    def holds(self, local: datetime) -> bool:
        """Report whether *local*, a time on the wall, is inside."""
        at = local.time()
        if self.begin < self.end:
            return local.weekday() in self.days and self.begin <= at < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (local.weekday() in self.days and at >= self.begin) or (
            yesterday in self.days and at < self.end
        )


@dataclass(frozen=True, slots=True)
class Once:
    """One stretch of time, on the wall."""

    begin: datetime
    end: datetime

    def holds(self, local: datetime) -> bool:
        """Report whether *local*, a time on the wall, is inside."""
        return self.begin <= local.replace(tzinfo=None) < self.end


def parse_window(text: str) -> Weekly | Once:
    """Read a window.

    Raises:
        ValueError: It is not one; the message says how one looks.
    """
    begin, slash, end = text.partition("/")
    try:
        window = _once(begin.strip(), end.strip()) if slash else _weekly(text.strip())
    except ValueError:
        window = None
    if window is None:
        raise ValueError(
            "not a window such as 'Mon-Fri 07:00-20:00', '22:00-06:00' or "
            "'2026-12-24 00:00/2026-12-27 00:00'"
        )
    return window


def inside(windows: Sequence[str], time_zone: str, now: datetime) -> str | None:
    """Name the first of *windows* that holds now; None if none does."""
    local = now.astimezone(ZoneInfo(time_zone))
    return next((text for text in windows if parse_window(text).holds(local)), None)


def closed(
    windows: Sequence[str], blackouts: Sequence[str], time_zone: str, now: datetime
) -> str | None:
    """Say why no drill may run now; None if it may."""
    blackout = inside(blackouts, time_zone, now)
    if blackout is not None:
        return f"blackout {blackout} ({time_zone})"
    if windows and inside(windows, time_zone, now) is None:
        return f"outside every window: {'; '.join(windows)} ({time_zone})"
    return None


def _once(begin: str, end: str) -> Once | None:
    once = Once(datetime.fromisoformat(begin), datetime.fromisoformat(end))
    if once.begin.tzinfo or once.end.tzinfo or once.begin >= once.end:
        return None
    return once


def _weekly(text: str) -> Weekly | None:
    found = _WEEKLY.fullmatch(text)
    if found is None:
        return None
    begin, end = time.fromisoformat(found["begin"]), _end(found["end"])
    return None if begin == end else Weekly(_days(found["days"]), begin, end)


def _end(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin = DAYS.index(first.capitalize())
        end = DAYS.index(last.capitalize()) if dash else begin
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)
