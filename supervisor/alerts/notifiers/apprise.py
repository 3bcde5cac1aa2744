"""Any channel for people that apprise knows: ntfy, Telegram, Slack, Matrix, mail, and so on.

apprise is blocking code that may hang, so each try runs in a thread of its own, which ends with
the process. Its URLs are secrets as a whole, and so is everything that it says about them.

Example:
    notifiers: {phone: {apprise: {url: {env: NTFY_URL}}, only: [FallbackBroken, EngineDown]}}
"""

import asyncio
import logging
import re
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp

from chaos.errors import UsageError
from chaos.http_client import USER_AGENT
from supervisor.alerts.notifier import Notice, Receipt, Result
from supervisor.settings.alerting import AppriseSettings

if TYPE_CHECKING:
    import apprise

DEADLINE_S = 30.0
"""Many of its services wait for some seconds between two messages."""

_LOGGERS = ("apprise", "requests", "urllib3")
"""They quote URLs; urllib3 does so in warnings."""

_STATUS = re.compile(r"\berror=([1-5]\d\d)\b")
"""All that is taken from apprise's own words."""

_TYPES = {"page": "failure", "ticket": "warning"}
"""How apprise marks a firing alert, by severity; any other is ``info``."""


class Apprise:
    """A channel that apprise knows.

    Args:
        name: The user's name for it.
    """

    def __init__(
        self, name: str, channel: "apprise.Apprise", *, deadline_s: float = DEADLINE_S
    ) -> None:
        self._name = name
        self._channel = channel
        self._deadline_s = deadline_s
        self._turn = asyncio.Lock()
        self._busy = False

    @classmethod
    def from_settings(
        cls,
        name: str,
        settings: AppriseSettings,
        _: aiohttp.ClientSession,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> "Apprise":
        """Build it; loads apprise, which takes a moment.

        Raises:
            UsageError: The URL is missing, or apprise cannot read it; it is not quoted.
        """
        return cls(
            name, open_channel(settings.url.reveal().get_secret_value()), deadline_s=deadline_s
        )

    @property
    def name(self) -> str:
        """The user's name for it."""
        return self._name

    async def deliver(self, notice: Notice, /) -> Receipt:
        """Send it once."""
        try:
            async with asyncio.timeout(self._deadline_s), self._turn:
                if self._busy:
                    return Receipt(Result.UNREACHABLE, "an earlier try still hangs")
                return await self._in_thread(lambda: _notify(self._channel, notice))
        except TimeoutError:
            return Receipt(Result.UNREACHABLE, f"not delivered within {self._deadline_s:g} s")

    async def keep_alive(self, _: tuple[Notice, ...], /) -> None:
        """Do nothing: a message to people does not expire."""

    async def _in_thread(self, work: Callable[[], Receipt]) -> Receipt:
        """Run *work* in a thread that keeps nobody waiting, the end of the process least of all.

        A thread of an executor would: it is joined at exit, and may hang for ever.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Receipt] = loop.create_future()

        def run() -> None:
            receipt = work()
            self._busy = False
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, done, receipt)

        self._busy = True
        threading.Thread(target=run, name=f"apprise {self._name}", daemon=True).start()
        return await done


def _settle(done: "asyncio.Future[Receipt]", receipt: Receipt) -> None:
    if not done.done():
        done.set_result(receipt)


def open_channel(url: str) -> "apprise.Apprise":
    """Load apprise, and have it read *url*.

    Raises:
        UsageError: It cannot.
    """
    _silence()
    with warnings.catch_warnings():
        # Modules of the standard library that are about to go, in Python 3.11 and 3.12.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415 -- with its plugins too heavy for daemons that need none

        asset = apprise.AppriseAsset(
            app_id=USER_AGENT,
            app_desc=USER_AGENT,
            # One after another in our own thread, with its deadline: no executor of apprise's.
            async_mode=False,
            service_timeout=0,
            http_redirects=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        channel = apprise.Apprise(asset=asset)
        try:
            readable = channel.add(url)
        except Exception:  # noqa: BLE001 -- plugins raise what they like, and quote what they read
            readable = False
    if not readable or not len(channel):
        raise UsageError(
            "apprise cannot read its URL, or a part of it is missing",
            remedy="Write it as https://github.com/caronc/apprise/wiki shows for its service.",
        )
    return channel


def _silence() -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        # With none, Python writes warnings to stderr.
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _notify(channel: "apprise.Apprise", notice: Notice) -> Receipt:
    """Send it, and wait for that; never raises."""
    title = title_of(notice)
    try:
        result = channel.notify(
            body=body_of(notice) or title,
            title=title,
            notify_type=type_of(notice),
            body_format="text",
        )
        said = [entry.message for entry in result.logs()]
    except Exception as error:  # noqa: BLE001 -- a notifier never raises; plugins raise anything
        return Receipt(Result.SERVER_ERROR, f"apprise failed: {type(error).__name__}")
    if result:
        return Receipt(Result.OK)
    status = next((int(match[1]) for text in said if (match := _STATUS.search(text))), None)
    if status is None:
        return Receipt(Result.UNREACHABLE, "apprise could not deliver it")
    return Receipt(Result.SERVER_ERROR, f"apprise could not deliver it: HTTP {status}", status)


def title_of(notice: Notice) -> str:
    """Write the title, such as ``[FIRING] FallbackBroken: claude → gemma``. Pure."""
    labels = {
        name: value
        for name, value in notice.labels.items()
        if value and name not in ("alertname", "severity")
    }
    subject = " → ".join(labels.pop(name) for name in ("group", "hop") if name in labels)
    subjects = ", ".join(filter(None, (subject, *labels.values())))
    head = f"[{'FIRING' if notice.firing else 'RESOLVED'}] {notice.alertname}"
    return " ".join((f"{head}: {subjects}" if subjects else head).split())


def body_of(notice: Notice) -> str:
    """Write summary, description and runbook, as far as there are any. Pure."""
    runbook = notice.annotations.get("runbook_url")
    parts = (
        notice.annotations.get("summary"),
        notice.annotations.get("description"),
        f"Runbook: {runbook}" if runbook else None,
    )
    return "\n\n".join(filter(None, parts))


def type_of(notice: Notice) -> str:
    """Say how apprise marks it: ``success``, ``failure``, ``warning`` or ``info``. Pure."""
    if not notice.firing:
        return "success"
    return _TYPES.get(notice.labels.get("severity", ""), "info")
