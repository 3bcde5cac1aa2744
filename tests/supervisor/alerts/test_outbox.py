"""The outbox delivers each change to each notifier, in order, until it was taken or refused."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random

import pytest
import stamina

from supervisor.alerts.notifier import Notice, Receipt, Result
from supervisor.alerts.outbox import (
    FEWEST_TRIES,
    GIVE_UP_AFTER,
    KEEP_ALIVE_S,
    LONGEST_ROUND_S,
    Outbox,
)
from supervisor.store.alerts.records import Delivery, DeliveryState
from supervisor.store.errors import StoreError
from tests.fakes.alerts import alert_change
from tests.fakes.manual_clock import NOON, ManualClock
from tests.patience import until


@pytest.fixture(autouse=True)
def _at_once():
    """What is tried again is tried again at once; how long it would wait is tested apart."""
    with stamina.set_testing(True, attempts=1_000_000):
        yield


@dataclass
class FakeStore:
    """Deliveries in memory; *due* is ignored, so that nothing waits for a clock.

    Attributes:
        broken: Raised by the next marks, as often.
        postponed: By delivery, when each was to be tried next.
    """

    clock: ManualClock
    waiting: list[Delivery] = field(default_factory=list)
    ended: list[Delivery] = field(default_factory=list)
    postponed: dict[str, list[float]] = field(default_factory=dict)
    broken: int = 0

    def add(self, *names: str, notifier: str = "ops", **changes) -> None:
        for name in names:
            number = len(self.waiting) + len(self.ended) + 1
            change = alert_change(name, **changes)
            self.waiting.append(Delivery(number, notifier, change, DeliveryState.WAITING, 0, NOON))

    async def next_delivery(self, notifier: str) -> Delivery | None:
        return next((one for one in self.waiting if one.notifier == notifier), None)

    async def next_delivery_at(self, notifier: str):
        return None

    async def end_delivery(self, one: Delivery, *, taken: bool, result: str, detail: str = ""):
        self._break()
        self.waiting = [each for each in self.waiting if each.number != one.number]
        state = DeliveryState.TAKEN if taken else DeliveryState.DEAD
        self.ended.append(replace(one, state=state, result=result, detail=detail))

    async def postpone(self, one: Delivery, *, result: str, detail: str, due_at) -> None:
        self._break()
        wait_s = (due_at - self.clock.now()).total_seconds()
        self.postponed.setdefault(one.change.id, []).append(wait_s)
        self.waiting = [each for each in self.waiting if each.number != one.number]
        self.waiting.append(replace(one, tries=one.tries + 1))

    def _break(self) -> None:
        if self.broken:
            self.broken -= 1
            raise StoreError("the disk is full", remedy="Free some of it.")


@dataclass
class FakeNotifier:
    """Answers as told, the last answer for ever.

    Attributes:
        got: The ids that came.
        gate: While it is not set, nothing is answered.
    """

    name: str = "ops"
    answers: list[Receipt] = field(default_factory=lambda: [Receipt(Result.OK)])
    got: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    alive: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def deliver(self, notice: Notice, /) -> Receipt:
        self.got.append(notice.delivery)
        await self.gate.wait()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def keep_alive(self, firing: tuple[Notice, ...], /) -> Receipt | None:
        self.alive.append(len(firing))
        return Receipt(Result.OK) if self.name == "manager" else None


@dataclass
class Stage:
    """An outbox that runs."""

    store: FakeStore
    clock: ManualClock
    outbox: Outbox
    results: list[tuple[str, Result]]

    def ended(self, state=DeliveryState.TAKEN):
        """The ids that have ended so, in order."""
        return [one.change.id for one in self.store.ended if one.state is state]


@asynccontextmanager
async def running(*notifiers: FakeNotifier, store=None):
    """Deliver until the test is over."""
    clock = ManualClock()
    store = store or FakeStore(clock)
    results: list[tuple[str, Result]] = []
    outbox = Outbox(
        store,
        {one.name: one for one in notifiers},
        clock,
        notice=partial(Notice.of, base_url="http://understudy"),
        firing=lambda _: (Notice.of(alert_change(), "http://understudy"),),
        on_result=lambda name, result: results.append((name, result)),
        chance=Random(1),
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(outbox.run())
        yield Stage(store, clock, outbox, results)
        task.cancel()


async def test_what_waits_is_delivered_in_order():
    """Each once, and marked before the next is sent."""
    notifier = FakeNotifier()
    async with running(notifier) as stage:
        stage.store.add("a", "b", "c")
        stage.outbox.wake()
        await until(lambda: len(stage.store.ended) == 3)
    assert notifier.got == stage.ended() == ["a", "b", "c"]
    assert stage.results == [("ops", Result.OK)] * 3


@pytest.mark.parametrize("result", [Result.SERVER_ERROR, Result.RATE_LIMITED, Result.UNREACHABLE])
async def test_what_may_pass_is_tried_again_under_the_same_id(result: Result):
    """Until it is taken; then it is not sent again."""
    notifier = FakeNotifier(answers=[Receipt(result, "later")] * 3 + [Receipt(Result.OK)])
    async with running(notifier) as stage:
        stage.store.add("a")
        stage.outbox.wake()
        await until(stage.ended)
    assert notifier.got == ["a"] * 4
    assert stage.store.ended[0].tries == 3


@pytest.mark.parametrize("result", [Result.AUTH_ERROR, Result.CLIENT_ERROR])
async def test_what_is_refused_for_good_is_given_up_at_once(result: Result):
    """It is a dead letter, with the reason, and the next one is sent."""
    notifier = FakeNotifier(answers=[Receipt(result, "no such hook", 404), Receipt(Result.OK)])
    async with running(notifier) as stage:
        stage.store.add("a", "b")
        stage.outbox.wake()
        await until(lambda: len(stage.store.ended) == 2)
    assert stage.ended(DeliveryState.DEAD) == ["a"]
    assert stage.store.ended[0].detail == "no such hook"
    assert stage.ended() == ["b"]


async def test_a_receiver_that_hangs_delays_nobody_else():
    """Each notifier has a worker of its own."""
    slow, quick = FakeNotifier("slow"), FakeNotifier("quick")
    slow.gate.clear()
    async with running(slow, quick) as stage:
        stage.store.add("a", notifier="slow")
        stage.store.add("b", "c", notifier="quick")
        stage.outbox.wake()
        await until(lambda: stage.ended() == ["b", "c"])
        assert slow.got == ["a"]
        slow.gate.set()
        await until(lambda: "a" in stage.ended())


async def test_a_change_that_cannot_be_digested_keeps_no_other_from_the_receiver():
    """What fails goes to the end of the line."""

    class Picky(FakeNotifier):
        async def deliver(self, notice, /):
            self.got.append(notice.delivery)
            return Receipt(Result.SERVER_ERROR if notice.delivery == "bad" else Result.OK)

    notifier = Picky()
    async with running(notifier) as stage:
        stage.store.add("bad", "a", "b")
        stage.outbox.wake()
        await until(lambda: stage.ended() == ["a", "b"])
    assert [one.change.id for one in stage.store.waiting] == ["bad"]


async def test_retry_after_is_honoured():
    """A receiver that asks to be left alone for twenty seconds is."""
    notifier = FakeNotifier(
        answers=[Receipt(Result.RATE_LIMITED, "slowly", 429, 20.0), Receipt(Result.OK)]
    )
    async with running(notifier) as stage:
        stage.store.add("a")
        stage.outbox.wake()
        await until(stage.ended)
    assert stage.store.postponed["a"] == [20.0]


async def test_the_pause_grows_and_is_bounded():
    """Full jitter: somewhere between nothing and twice as much as before, at most five minutes."""
    notifier = FakeNotifier(answers=[Receipt(Result.UNREACHABLE)] * 40 + [Receipt(Result.OK)])
    async with running(notifier) as stage:
        stage.store.add("a")
        stage.outbox.wake()
        await until(stage.ended)
    waits = stage.store.postponed["a"]
    assert len(waits) == 40
    assert all(0 <= wait <= min(LONGEST_ROUND_S, 2.0**tries) for tries, wait in enumerate(waits))
    assert max(waits[10:]) > 60


async def test_what_cannot_be_told_for_a_day_is_given_up():
    """By then it is news to nobody."""
    notifier = FakeNotifier(answers=[Receipt(Result.UNREACHABLE, "no route")])
    async with running(notifier) as stage:
        stage.store.add("old", at=NOON - GIVE_UP_AFTER)
        stage.store.add("young", at=NOON - GIVE_UP_AFTER + timedelta(seconds=1))
        stage.outbox.wake()
        await until(lambda: stage.ended(DeliveryState.DEAD))
        assert stage.ended(DeliveryState.DEAD) == ["old"]
    # Not at once: a clock that was set forward has passed a day, too.
    assert notifier.got.count("old") == FEWEST_TRIES + 1


async def test_a_mark_that_cannot_be_written_has_the_same_id_sent_again():
    """The only way to a double: taken, and not marked."""
    notifier = FakeNotifier()
    async with running(notifier) as stage:
        stage.store.broken = 1
        stage.store.add("a", "b")
        stage.outbox.wake()
        await until(lambda: len(stage.store.ended) == 2)
    assert notifier.got == ["a", "a", "b"]


async def test_a_notifier_that_breaks_ends_no_worker():
    """A defect of ours is tried again, and said in the log."""
    notifier = FakeNotifier(error=RuntimeError("boom"))
    async with running(notifier) as stage:
        stage.store.add("a")
        stage.outbox.wake()
        await until(stage.ended)
    assert notifier.got == ["a", "a"]
    assert stage.results[0] == ("ops", Result.SERVER_ERROR)


async def test_a_stop_waits_for_what_is_under_way():
    """What was sent is marked: only a kill between the two has it told twice."""
    notifier = FakeNotifier()
    notifier.gate.clear()
    clock = ManualClock()
    store = FakeStore(clock)
    store.add("a", "b")
    async with asyncio.TaskGroup() as tasks, running(notifier, store=store):
        await until(lambda: notifier.got)
        tasks.create_task(_open(notifier))
    assert notifier.got == ["a"]
    assert [one.change.id for one in store.ended] == ["a"]


async def _open(notifier: FakeNotifier) -> None:
    """Answer a little later, when the stop has begun."""
    await asyncio.sleep(0.02)
    notifier.gate.set()


async def test_an_idle_outbox_waits_until_it_is_woken():
    """It asks the store again when something is to be told, or after a while."""
    notifier = FakeNotifier()
    async with running(notifier) as stage:
        await stage.clock.until_asleep()
        stage.store.add("a")
        assert notifier.got == []
        stage.outbox.wake()
        await until(stage.ended)


async def test_receivers_that_forget_are_told_again_and_again_what_fires():
    """As long as the daemon runs."""
    manager = FakeNotifier("manager")
    async with running(manager) as stage:
        for told in (1, 2, 3):
            await stage.clock.until_asleep()
            stage.clock.advance(KEEP_ALIVE_S)
            while len(manager.alive) < told:
                await asyncio.sleep(0)
    assert manager.alive == [1, 1, 1]
