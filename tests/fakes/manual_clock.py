"""A clock that stands still until a test turns it."""

import asyncio
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class ManualClock:
    """Starts at noon; sleepers wake when it is turned past their time."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._elapsed_s = 0.0
        self._turned = asyncio.Event()
        self._asleep = asyncio.Event()
        self._sleepers = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass, for everybody at once."""
        self._now += timedelta(seconds=seconds)
        self._elapsed_s += seconds
        self._asleep.clear()
        self._turned.set()
        self._turned = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until_s = self._elapsed_s + seconds
        self._sleepers += 1
        try:
            while self._elapsed_s < until_s:
                self._asleep.set()
                await self._turned.wait()
        finally:
            self._sleepers -= 1
            if self._sleepers == 0:
                self._asleep.clear()

    async def until_asleep(self) -> None:
        """Wait until somebody sleeps, whom the clock, as it stands, does not wake."""
        await self._asleep.wait()
