"""A receiver of alerts: takes Alertmanager's webhook format, and keeps what came."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from chaos.process.guarded_process import HOST


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One alert of a message.

    Attributes:
        firing: It began; else it is over.
    """

    name: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class WebhookReceiver:
    """Takes every message.

    Attributes:
        url: Where it listens.
        on_alert: Called with each alert, in the order in which they came.
    """

    def __init__(self, on_alert: Callable[[ReceivedAlert], None]) -> None:
        self.url = ""
        self.on_alert = on_alert
        self._came: list[ReceivedAlert] = []
        self._news = asyncio.Event()

    async def until(self, holds: Callable[[list[ReceivedAlert]], bool]) -> None:
        """Wait until *holds* of everything that has come."""
        while not holds(self._came):
            self._news.clear()
            await self._news.wait()

    async def _take(self, request: web.Request) -> web.Response:
        """Take a message.

        Shape:
            {"alerts": [{"status": "firing"|"resolved", "labels": {}, "annotations": {}}]}
        """
        message = await request.json()
        for raw in message["alerts"]:
            alert = ReceivedAlert(
                raw["labels"]["alertname"],
                raw["status"] == "firing",
                raw["labels"],
                raw["annotations"],
            )
            self._came.append(alert)
            self.on_alert(alert)
        self._news.set()
        return web.Response(text="taken")


@asynccontextmanager
async def webhook_receiver(
    on_alert: Callable[[ReceivedAlert], None],
) -> AsyncIterator[WebhookReceiver]:
    """Listen on a free port of loopback until exit."""
    receiver = WebhookReceiver(on_alert)
    app = web.Application()
    app.router.add_post("/understudy", receiver._take)  # noqa: SLF001 -- its own server
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        receiver.url = f"http://{HOST}:{runner.addresses[0][1]}/understudy"
        yield receiver
    finally:
        await runner.cleanup()
