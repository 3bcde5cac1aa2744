"""Deliver what is to be told: one worker for each notifier, so that none waits for another.

A delivery is read from the store, tried once, and what came of it is written before the next is
read: what is told twice was killed between the receipt and the mark, and carries the same id.
A receiver that fails is left alone for longer and longer; what it has not taken goes round, so
that one change that it cannot digest does not keep the others from it.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

import stamina
import structlog

from chaos.clock import Clock
from supervisor.alerts.notifier import Notice, Notifier, Receipt, Result
from supervisor.store.alerts.records import AlertChange, Delivery
from supervisor.store.errors import StoreError

log = structlog.get_logger()

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""After a try that failed, the longest the next may wait; doubled with each that follows."""

LONGEST_ROUND_S = 300.0
"""Likewise for one delivery: it comes back into line within this."""

GIVE_UP_AFTER = timedelta(days=1)
FEWEST_TRIES = 10
"""Before anything is given up: a day that passed without them is a clock that was set forward."""

STOP_WITHIN_S = 10.0
"""How long a stop waits for the delivery that is under way."""

KEEP_ALIVE_S = 60.0
IDLE_S = 30.0
"""How long a worker without work waits at most, unless it is woken."""


class Deliveries(Protocol):
    """The store, as the outbox sees it; every method may raise a ``StoreError``."""

    async def next_delivery(self, notifier: str) -> Delivery | None:
        """Find what *notifier* is to be told next; None if nothing is due."""
        ...

    async def next_delivery_at(self, notifier: str) -> datetime | None:
        """Say when the next one is due, or was."""
        ...

    async def end_delivery(
        self, one: Delivery, *, taken: bool, result: str, detail: str = ""
    ) -> None:
        """Write that it was taken, or is given up."""
        ...

    async def postpone(self, one: Delivery, *, result: str, detail: str, due_at: datetime) -> None:
        """Write that it is to be tried again."""
        ...


class _TryAgainError(Exception):
    """The receiver, or the store, is to be left alone for a while."""

    def __init__(self, pause_s: float) -> None:
        super().__init__(f"again in {pause_s:.1f} s")
        self.pause_s = pause_s


class Outbox:
    """Delivers, as long as it runs.

    Args:
        notifiers: By name.
        notice: Makes of a change what is told.
        firing: Lists what fires now of all that a notifier gets, for receivers that forget.
        on_result: Called with each notifier's name and what came of each try.
        chance: Spreads the tries.
    """

    def __init__(
        self,
        store: Deliveries,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        *,
        notice: Callable[[AlertChange], Notice],
        firing: Callable[[str], tuple[Notice, ...]],
        on_result: Callable[[str, Result], None],
        chance: Random,
    ) -> None:
        self._store = store
        self._notifiers = notifiers
        self._clock = clock
        self._notice = notice
        self._firing = firing
        self._on_result = on_result
        self._chance = chance
        self._wakes = {name: asyncio.Event() for name in notifiers}
        self._failures = dict.fromkeys(notifiers, 0)

    def wake(self) -> None:
        """Look for work now: something is to be told."""
        for event in self._wakes.values():
            event.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        # What is tried again is told by our own log and metrics.
        stamina.instrumentation.set_on_retry_hooks([])
        async with asyncio.TaskGroup() as tasks:
            for name, notifier in self._notifiers.items():
                tasks.create_task(self._work(name, notifier), name=f"notifier {name}")
                tasks.create_task(self._keep_alive(name, notifier), name=f"keep alive {name}")

    async def _work(self, name: str, notifier: Notifier) -> None:
        while True:
            async for attempt in stamina.retry_context(on=_pause_of, attempts=None, timeout=None):
                with attempt:
                    while await self._deliver_next(name, notifier):
                        pass
            await self._until_due(name)

    async def _deliver_next(self, name: str, notifier: Notifier) -> bool:
        """Try the next delivery; False if nothing is due.

        Raises:
            _TryAgainError: Nothing more can be delivered for a while.
        """
        self._wakes[name].clear()
        try:
            one = await self._store.next_delivery(name)
            if one is None:
                return False
            receipt = await self._delivered(name, notifier, one)
        except StoreError as error:
            log.warning("outbox.store_away", notifier=name, why=error.message)
            raise _TryAgainError(self._jittered(name)) from None
        if receipt.result.is_final:
            self._failures[name] = 0
            return True
        raise _TryAgainError(receipt.retry_after_s or self._jittered(name))

    async def _delivered(self, name: str, notifier: Notifier, one: Delivery) -> Receipt:
        """Try once and mark what came of it; a stop waits for both, or it would be told twice."""

        async def doing() -> Receipt:
            receipt = await self._tried(notifier, one)
            self._on_result(name, receipt.result)
            await self._mark(one, receipt)
            return receipt

        task = asyncio.create_task(doing(), name=f"deliver {one.change.id} to {name}")
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=STOP_WITHIN_S)
            if not task.cancel() and not task.cancelled():
                task.exception()  # Seen: what was not marked is told again.
            raise

    async def _tried(self, notifier: Notifier, one: Delivery) -> Receipt:
        try:
            return await notifier.deliver(self._notice(one.change))
        except Exception as error:  # A defect of ours ends no worker.
            log.exception("notifier.broken", notifier=one.notifier)
            return Receipt(Result.SERVER_ERROR, f"it broke: {type(error).__name__}, see the log")

    async def _mark(self, one: Delivery, receipt: Receipt) -> None:
        """Write down what came of a try."""
        taken, final = receipt.result is Result.OK, receipt.result.is_final
        told = {
            "notifier": one.notifier,
            "alert": one.change.name,
            "delivery": one.change.id,
            "result": receipt.result.value,
            "tries": one.tries + 1,
        }
        young = self._clock.now() - one.change.at < GIVE_UP_AFTER
        if not final and (young or one.tries < FEWEST_TRIES):
            longest_s = min(LONGEST_ROUND_S, FIRST_PAUSE_S * 2.0 ** min(one.tries, 30))
            pause_s = receipt.retry_after_s or self._chance.uniform(0, longest_s)
            due_at = self._clock.now() + timedelta(seconds=pause_s)
            log.warning("notification.postponed", why=receipt.detail, **told)
            await self._store.postpone(
                one, result=receipt.result.value, detail=receipt.detail, due_at=due_at
            )
            return
        if taken:
            log.info("notification.taken", **told)
        else:
            log.error("notification.given_up", why=receipt.detail, **told)
        await self._store.end_delivery(
            one, taken=taken, result=receipt.result.value, detail=receipt.detail
        )

    def _jittered(self, name: str) -> float:
        """Wait longer after each failure in a row: full jitter, so that nobody marches in step."""
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._failures[name], 30))
        self._failures[name] += 1
        return self._chance.uniform(0, longest_s)

    async def _until_due(self, name: str) -> None:
        """Wait until something may be due."""
        pause_s = IDLE_S
        with suppress(StoreError):
            due_at = await self._store.next_delivery_at(name)
            if due_at is not None:
                pause_s = min(IDLE_S, (due_at - self._clock.now()).total_seconds())
        async with asyncio.TaskGroup() as tasks:
            waiting = {
                tasks.create_task(self._clock.sleep(max(0.05, pause_s))),
                tasks.create_task(self._wakes[name].wait()),
            }
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    async def _keep_alive(self, name: str, notifier: Notifier) -> None:
        """Tell receivers that forget what still fires."""
        while True:
            await self._clock.sleep(KEEP_ALIVE_S)
            receipt = await notifier.keep_alive(self._firing(name))
            if receipt is not None and receipt.result is not Result.OK:
                log.warning("alerts.not_kept_alive", notifier=name, why=receipt.detail)


def _pause_of(error: Exception) -> bool | float:
    """Tell stamina how long to wait, and that nothing else is to be tried again."""
    return error.pause_s if isinstance(error, _TryAgainError) else False
