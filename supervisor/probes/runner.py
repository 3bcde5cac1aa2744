"""Looks at every part, again and again: each at its own pace, none twice at once.

Whatever a probe does wrong, that it raises or hangs, is a reading that could not tell.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from random import Random

import structlog

from chaos.clock import Clock
from supervisor.probes.probe import Listens, Part, Probe, ProbeReading, State
from supervisor.probes.standing import DEAD

log = structlog.get_logger()

JITTER = 0.1
"""An interval is shortened by up to this share, never lengthened: alerts count on it."""

DOUBT_S = 2.0
"""A reading that differs from what is known is looked at again after this, if not sooner."""

Take = Callable[[Probe, ProbeReading, float], Awaitable[bool]]
"""Takes a reading and how many seconds it took; True if the part is to be looked at again soon."""


class Runner:
    """Keeps looking at the parts that are to be watched.

    Args:
        take: Gets every reading.
        own_trouble: Says why this machine itself is no judge just now; empty if it is.
        chance: Spreads the looks.
    """

    def __init__(
        self, clock: Clock, take: Take, own_trouble: Callable[[], Awaitable[str]], chance: Random
    ) -> None:
        self._clock = clock
        self._take = take
        self._own_trouble = own_trouble
        self._chance = chance
        self._wanted: dict[Part, Probe] = {}
        self._wakes: dict[Part, asyncio.Event] = {}
        self._changed = asyncio.Event()

    def use(self, probes: Iterable[Probe]) -> None:
        """Look at these from now on; the pace of a part that stays is not disturbed."""
        self._wanted = {probe.part: probe for probe in probes}
        self._changed.set()

    @property
    def probes(self) -> tuple[Probe, ...]:
        """What is looked at."""
        return tuple(self._wanted.values())

    def wake(self, part: Part) -> None:
        """Look at *part* now."""
        event = self._wakes.get(part)
        if event is not None:
            event.set()

    async def run(self) -> None:
        """Look until cancelled."""
        watching: dict[Part, asyncio.Task[None]] = {}
        heard: dict[Part, Probe] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for part in [part for part in watching if part not in self._wanted]:
                    watching.pop(part).cancel()
                    del self._wakes[part]
                for part, probe in self._wanted.items():
                    if part in watching and heard[part] is not probe and isinstance(probe, Listens):
                        # Another thing is to be heard: begin anew.
                        watching.pop(part).cancel()
                    heard[part] = probe
                    if part not in watching:
                        self._wakes[part] = asyncio.Event()
                        task = tasks.create_task(self._watch(part), name=f"watch {part}")
                        watching[part] = task
                await self._changed.wait()

    async def _watch(self, part: Part) -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(part))
            await self._look_again_and_again(part)
            listening.cancel()

    async def _listen(self, part: Part) -> None:
        """Look sooner when something is heard; the looks alone decide."""
        probe, wake = self._wanted.get(part), self._wakes[part]
        if probe is not None and isinstance(probe, Listens):
            try:
                await probe.listen(wake.set)
            except Exception:  # A defect of ours ends no watch.
                log.exception("probe.deaf", part=str(part))

    async def _look_again_and_again(self, part: Part) -> None:
        wake = self._wakes[part]
        while True:
            wake.clear()
            probe = self._wanted.get(part)
            if probe is None:
                return  # It is watched no more.
            began_s = self._clock.monotonic()
            reading = await self._look(probe)
            took_s = self._clock.monotonic() - began_s
            soon = await self._taken(probe, reading, took_s)
            await self._pause(probe, wake, soon=soon)

    async def _look(self, probe: Probe) -> ProbeReading:
        """Look once, within the deadline; a reading that only this machine explains is no news."""
        deadline_s = probe.cadence.deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                reading = await probe.probe(self._clock.now())
        except TimeoutError:
            return _untold(probe, f"the look took longer than {deadline_s:g} s and was given up")
        except Exception as error:  # A defect of ours ends no watch.
            log.exception("probe.broken", part=str(probe.part))
            return _untold(probe, f"the look broke: {type(error).__name__}, see the log")
        if reading.state in DEAD and probe.across_network:
            trouble = await self._own_trouble()
            if trouble:
                words = f"{trouble}; so this says nothing: {reading.reason}"
                return replace(reading, state=State.UNKNOWN, reason=words)
        return reading

    async def _taken(self, probe: Probe, reading: ProbeReading, took_s: float) -> bool:
        try:
            return await self._take(probe, reading, took_s)
        except Exception:  # Likewise.
            log.exception("reading.not_taken", part=str(probe.part))
            return False

    async def _pause(self, probe: Probe, wake: asyncio.Event, *, soon: bool) -> None:
        pause_s = probe.cadence.every.total_seconds() * (1 - JITTER * self._chance.random())
        if soon:
            pause_s = min(pause_s, DOUBT_S)
        async with asyncio.TaskGroup() as tasks:
            waiting = {
                tasks.create_task(self._clock.sleep(pause_s)),
                tasks.create_task(wake.wait()),
            }
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()


def _untold(probe: Probe, reason: str) -> ProbeReading:
    return ProbeReading(probe.part, State.UNKNOWN, reason)
