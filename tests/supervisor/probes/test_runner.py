"""The runner looks at each part at its own pace, and never believes a broken look."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest

from supervisor.probes.probe import Cadence, Part, PartKind, ProbeReading, State
from supervisor.probes.runner import DOUBT_S, JITTER, Runner
from tests.fakes.manual_clock import ManualClock
from tests.patience import until

GATEWAY = Part(PartKind.GATEWAY)
ENGINE = Part(PartKind.ENGINE, "gemma")
EVERY_S = 20.0


@dataclass
class Scripted:
    """A probe that answers as told.

    Attributes:
        looks: How often it has begun to look.
        at_once: How many of its looks run now; *most* is the greatest number seen.
        gate: While it is not set, a look does not end.
    """

    part: Part = GATEWAY
    cadence: Cadence = field(
        default_factory=lambda: Cadence(every=timedelta(seconds=EVERY_S), deadline_s=1e6)
    )
    across_network: bool = True
    state: State = State.UP
    error: Exception | None = None
    looks: int = 0
    at_once: int = 0
    most: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def probe(self, now):
        self.looks += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self.gate.wait()
            if self.error is not None:
                raise self.error
            return ProbeReading(self.part, self.state, "as told")
        finally:
            self.at_once -= 1


@dataclass
class Stage:
    """A runner on a clock of its own, and what it has handed out."""

    clock: ManualClock = field(default_factory=ManualClock)
    taken: list[ProbeReading] = field(default_factory=list)
    soon: bool = False
    trouble: str = ""
    runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        self.runner = Runner(self.clock, self._take, self._trouble, Random(1))

    async def _take(self, probe, reading, took_s):
        self.taken.append(reading)
        return self.soon

    async def _trouble(self):
        return self.trouble

    async def looked(self, count):
        """Wait until so many readings were taken, and the runner sleeps again."""
        await until(lambda: len(self.taken) >= count)
        await self.clock.until_asleep()


@asynccontextmanager
async def running(*probes):
    """Run until the test is over."""
    stage = Stage()
    stage.runner.use(probes)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(stage.runner.run())
        yield stage
        task.cancel()


async def test_a_part_is_looked_at_at_once_and_then_within_its_interval():
    """The first look comes at the start, the next shortly before an interval has passed."""
    probe = Scripted()
    async with running(probe) as stage:
        await stage.looked(1)
        stage.clock.advance(EVERY_S * (1 - JITTER) - 0.01)
        await stage.clock.until_asleep()
        assert probe.looks == 1
        stage.clock.advance(EVERY_S * JITTER + 0.01)
        await stage.looked(2)


async def test_no_look_of_a_part_overtakes_another():
    """However often a part is to be looked at, one look runs at a time."""
    probe = Scripted()
    probe.gate.clear()
    async with running(probe) as stage:
        await until(lambda: probe.looks == 1)
        for _ in range(3):
            stage.runner.wake(GATEWAY)
            stage.clock.advance(10 * EVERY_S)
        probe.gate.set()
        await stage.looked(1)
        assert probe.most == 1


async def test_a_part_that_hangs_keeps_no_other_waiting():
    """Each part has a pace of its own."""
    slow, quick = Scripted(), Scripted(ENGINE)
    slow.gate.clear()
    async with running(slow, quick) as stage:
        await until(lambda: stage.taken)
        stage.clock.advance(EVERY_S)
        await stage.looked(2)
        assert [reading.part for reading in stage.taken] == [ENGINE, ENGINE]


async def test_doubt_is_followed_by_a_look_soon():
    """A reading that differs from what is known is confirmed in seconds, not in an interval."""
    async with running(Scripted()) as stage:
        stage.soon = True
        await stage.looked(1)
        stage.clock.advance(DOUBT_S)
        await stage.looked(2)


async def test_a_part_is_looked_at_when_it_is_woken():
    """Who knows that something has happened need not wait for the interval."""
    async with running(Scripted()) as stage:
        await stage.looked(1)
        stage.runner.wake(GATEWAY)
        await until(lambda: len(stage.taken) == 2)


async def test_a_look_past_its_deadline_could_not_tell():
    """A probe that hangs is given up, and says nothing about its part."""
    probe = Scripted(cadence=Cadence(deadline_s=0.01))
    probe.gate.clear()
    async with running(probe) as stage:
        await stage.looked(1)
    assert stage.taken[0].state is State.UNKNOWN
    assert "longer than 0.01 s" in stage.taken[0].reason


async def test_a_probe_that_raises_could_not_tell(caplog):
    """A defect of ours is neither an outage nor the end of the watch."""
    probe = Scripted(error=RuntimeError("boom"))
    async with running(probe) as stage:
        await stage.looked(1)
        assert stage.taken[0].state is State.UNKNOWN
        assert "RuntimeError" in stage.taken[0].reason
        probe.error = None
        stage.clock.advance(EVERY_S)
        await stage.looked(2)
        assert stage.taken[1].state is State.UP


@pytest.mark.parametrize("state", [State.DOWN, State.HUNG])
async def test_a_monitor_that_is_offline_judges_nobody(state):
    """What this machine's own trouble explains is no outage of somebody else."""
    async with running(Scripted(state=state)) as stage:
        stage.trouble = "no name resolves here"
        await stage.looked(1)
        assert stage.taken[0].state is State.UNKNOWN
        assert stage.taken[0].reason.startswith("no name resolves here")


async def test_own_trouble_explains_nothing_that_is_seen_without_a_network():
    """A container that has exited has exited, whatever ails the resolver."""
    async with running(Scripted(state=State.DOWN, across_network=False)) as stage:
        stage.trouble = "no name resolves here"
        await stage.looked(1)
        assert stage.taken[0].state is State.DOWN


async def test_parts_come_and_go():
    """What is no longer wanted is looked at no more, and a new part at once."""
    first, second = Scripted(), Scripted(ENGINE)
    async with running(first) as stage:
        await stage.looked(1)
        stage.runner.use([second])
        await stage.looked(2)
        stage.clock.advance(EVERY_S)
        await stage.looked(3)
        assert [reading.part for reading in stage.taken] == [GATEWAY, ENGINE, ENGINE]


async def test_a_new_probe_of_a_part_takes_over_without_a_look_between():
    """A reload changes how a part is looked at, not when."""
    old, new = Scripted(), Scripted(state=State.BUSY)
    async with running(old) as stage:
        await stage.looked(1)
        stage.runner.use([new])
        await stage.clock.until_asleep()
        assert new.looks == 0
        stage.clock.advance(EVERY_S)
        await stage.looked(2)
        assert (old.looks, new.looks) == (1, 1)


class Listening(Scripted):
    """A probe that hears of changes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.heard: asyncio.Event = asyncio.Event()
        self.broken: Exception | None = None

    async def listen(self, wake) -> None:
        if self.broken is not None:
            raise self.broken
        await self.heard.wait()
        wake()


async def test_what_is_heard_makes_the_next_look_sooner():
    """And only that: the looks go on at their pace when nothing more is heard."""
    probe = Listening()
    async with running(probe) as stage:
        await stage.looked(1)
        probe.heard.set()
        await until(lambda: len(stage.taken) == 2)
        await stage.clock.until_asleep()
        stage.clock.advance(EVERY_S)
        await stage.looked(3)


async def test_a_probe_that_cannot_hear_is_looked_at_all_the_same():
    """Events are a help, and never needed."""
    probe = Listening()
    probe.broken = RuntimeError("boom")
    async with running(probe) as stage:
        await stage.looked(1)
        stage.clock.advance(EVERY_S)
        await stage.looked(2)


async def test_a_new_probe_that_hears_takes_over_at_once():
    """What the old one hears is another container's news."""
    old, new = Listening(), Listening()
    async with running(old) as stage:
        await stage.looked(1)
        stage.runner.use([new])
        await until(lambda: new.looks == 1)
        await stage.clock.until_asleep()
        old.heard.set()
        new.heard.set()
        await until(lambda: new.looks == 2)
        assert old.looks == 1


async def test_a_part_that_goes_while_it_is_woken_ends_nothing_else():
    """The others are looked at as before."""
    first, second = Scripted(), Scripted(ENGINE)
    async with running(first, second) as stage:
        await stage.looked(2)
        stage.clock.advance(EVERY_S)
        stage.runner.use([second])
        for _ in range(20):
            await asyncio.sleep(0)
        await until(lambda: second.looks == 2)
