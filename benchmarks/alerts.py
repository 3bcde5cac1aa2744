"""Alerts: how long until everybody knows, and whether one dead receiver delays the others."""

import asyncio
import logging
import random
import resource
import tempfile
import time
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from chaos.clock import SystemClock
from chaos.http_client import open_session
from chaos.process.ports import free_port
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

HOME = Home("bench", "http://gateway:4000")


def run(*, alerts: int) -> None:
    """Measure and print."""
    # A line for each delivery would bury the figure.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(_told(alerts))


async def _told(alerts: int) -> None:
    counts = {"first": 0, "second": 0}
    done = asyncio.Event()

    def receiver(name: str) -> web.Application:
        async def take(request: web.Request) -> web.Response:
            await request.read()
            counts[name] += 1
            if min(counts.values()) >= alerts:
                done.set()
            return web.Response()

        app = web.Application()
        app.router.add_post("/hook", take)
        return app

    runners = []
    urls = {"dead": f"http://127.0.0.1:{free_port()}/hook"}
    for name in counts:
        runner = web.AppRunner(receiver(name))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        urls[name] = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        runners.append(runner)
    settings = {
        name: NotifierSettings.model_validate({"webhook": {"url": url}})
        for name, url in urls.items()
    }
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        where = parse_url(str(Path(folder) / "understudy.db"))
        async with open_session() as session, Store.opened(where, HOME, clock) as store:
            before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began_s = time.perf_counter()
            now = clock.now()
            found = [
                Condition({"number": str(n)}, now, "a fallback is broken") for n in range(alerts)
            ]
            evaluation = evaluate(
                (),
                Status(now, Known("bench", HOME.gateway, "1", now, "here")),
                now,
                settings=AlertSettings(),
                notifiers=settings,
                new_id=lambda: f"{random.getrandbits(64):016x}",
                rules=[AlertRule("FallbackBroken", Severity.PAGE, lambda _: found)],
            )
            await store.write_alerts(evaluation.written, evaluation.changes)
            written_s = time.perf_counter() - began_s
            outbox = Outbox(
                store,
                notifiers_of(settings, session),
                clock,
                notice=partial(Notice.of, base_url="http://understudy"),
                firing=lambda _: (),
                on_result=lambda *_: None,
                chance=random.Random(1),
            )
            async with asyncio.TaskGroup() as tasks:
                delivering = tasks.create_task(outbox.run())
                await done.wait()
                told_s = time.perf_counter() - began_s
                delivering.cancel()
            grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    for runner in runners:
        await runner.cleanup()
    print(
        f"{alerts} alerts begin at once, three notifiers, one dead: written in {written_s:.2f} s, "
        f"the other two have everything after {told_s:.1f} s, memory +{grown_mb:.0f} MB"
    )
