"""A store, rules and an outbox that are killed again and again, until nothing is left to tell.

    python -m tests.fakes.telling_process FOLDER KILLS URL...

One process imports everything and forks a child for each life, so that a life costs milliseconds.
A child fires and resolves alerts as fast as it can, and delivers them; it is killed at a moment
that chance chooses, anywhere between its first line and its last. The last child only delivers.
"""

import asyncio
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from chaos.clock import SystemClock
from chaos.http_client import open_session
from supervisor.alerts.evaluation import evaluate
from supervisor.alerts.notifier import Notice
from supervisor.alerts.notifiers import notifiers_of
from supervisor.alerts.outbox import Outbox
from supervisor.alerts.rule import AlertRule, Condition
from supervisor.settings.alerting import AlertSettings, NotifierSettings
from supervisor.status import Condition as Known
from supervisor.status import Status
from supervisor.store.alerts.records import Severity
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store

HOME = Home("spark-1", "http://gateway:4000")
LONGEST_LIFE_S = 0.25
MOST_WAITING = 4
"""Deliveries: more than the outbox can take would only wait for the last life."""


async def live(folder: Path, urls: list[str], *, last: bool) -> None:
    """Fire, resolve and deliver; for ever, or until nothing waits any more."""
    clock = SystemClock()
    settings = {
        f"n{place}": NotifierSettings.model_validate({"webhook": {"url": url}})
        for place, url in enumerate(urls)
    }
    url = parse_url(str(folder / "understudy.db"))
    async with open_session() as session, Store.opened(url, HOME, clock) as store:
        outbox = Outbox(
            store,
            notifiers_of(settings, session),
            clock,
            notice=partial(Notice.of, base_url="http://understudy"),
            firing=lambda _: (),
            on_result=lambda *_: None,
            chance=random.Random(),
        )
        async with asyncio.TaskGroup() as tasks:
            delivering = tasks.create_task(outbox.run())
            if not last:
                await _fire(store, settings, outbox, clock)
            while any(one.waiting for one in (await store.notifiers()).values()):
                await asyncio.sleep(0.01)
            delivering.cancel()


async def _fire(
    store: Store, settings: dict[str, NotifierSettings], outbox: Outbox, clock: SystemClock
) -> None:
    """Have an alert come and go, each in one transaction with what is to be told of it."""
    states = await store.alerts()
    while True:
        now = clock.now()
        found = [] if states else [Condition({"number": os.urandom(4).hex()}, now, "a test")]
        rule = _finding(found)
        evaluation = evaluate(
            states,
            Status(now, Known("spark-1", "g", "1", now, "here")),
            now,
            settings=AlertSettings(),
            notifiers=settings,
            new_id=lambda: os.urandom(8).hex(),
            rules=[rule],
        )
        await store.write_alerts(evaluation.written, evaluation.changes)
        states = evaluation.states
        outbox.wake()
        while sum(one.waiting for one in (await store.notifiers()).values()) > MOST_WAITING:
            await asyncio.sleep(0.002)


def _finding(found: list[Condition]) -> AlertRule:
    return AlertRule("FallbackBroken", Severity.PAGE, lambda _: found)


async def _make_store(folder: Path) -> None:
    """Make the tables, which takes longer than most lives."""
    async with Store.opened(parse_url(str(folder / "understudy.db")), HOME, SystemClock()):
        pass


def main(folder: Path, kills: int, urls: list[str]) -> None:
    """Let children live and die, and the last one finish."""
    chance, status = random.Random(7), 0
    asyncio.run(_make_store(folder))
    for life in range(kills + 1):
        child = os.fork()
        if child == 0:
            asyncio.run(live(folder, urls, last=life == kills))
            os._exit(0)
        if life < kills:
            time.sleep(chance.uniform(0, LONGEST_LIFE_S))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
