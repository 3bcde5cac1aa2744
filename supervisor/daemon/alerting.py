"""Alerts of the running daemon: each news is evaluated, written, and handed to the outbox.

What is to be told is written in the same transaction as the state of its alert, and only then
delivered: across kill -9 nothing is lost.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import aiohttp
import structlog

from chaos.clock import Clock
from chaos.errors import UnderstudyError
from supervisor.alerts.evaluation import Evaluation, evaluate, severity_of, told_by
from supervisor.alerts.notifier import Notice, Notifier, Result
from supervisor.alerts.notifiers import notifiers_of
from supervisor.alerts.outbox import Outbox
from supervisor.alerts.rules import RULES
from supervisor.daemon.board import Board
from supervisor.settings.model import Settings
from supervisor.status import TestAlert
from supervisor.store.alerts.records import AlertChange, AlertState, Phase, Reason
from supervisor.store.errors import StoreError
from supervisor.store.evidence import clean
from supervisor.store.store import Store
from supervisor.web.events import Events

log = structlog.get_logger()

LOOK_EVERY_S = 15.0
"""Without news the rules are looked at this often: some hold by time alone."""

BREATH_S = 1.0
"""Between two evaluations, while news come one after the other."""

TEST_FOR = timedelta(minutes=1)


@dataclass(slots=True)
class Alerting:
    """Decides what is told, as long as it runs.

    Attributes:
        session: Towards receivers.
        external_url: Where people reach the daemon.
        results: What came of each try, by notifier and result.
    """

    settings: Settings
    store: Store
    board: Board
    events: Events
    clock: Clock
    session: aiohttp.ClientSession
    external_url: str
    chance: Random = field(default_factory=Random)
    new_id: Callable[[], str] = lambda: secrets.token_hex(16)
    results: Counter[tuple[str, Result]] = field(default_factory=Counter)
    _states: tuple[AlertState, ...] = ()
    _unsure: bool = False
    _evaluated_at: datetime | None = None
    _notifiers: dict[str, Notifier] = field(default_factory=dict)
    _outbox: Outbox | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _again: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        """Evaluate soon: something has happened."""
        self._news.set()

    def use(self, settings: Settings) -> None:
        """Go on with other settings; what is pending goes on being so."""
        self.settings = settings
        self._show()
        self._again.set()
        self.look()

    def test(self) -> str:
        """Fire an alert that says that it is a test; returns what its label ``test`` is."""
        now = self.clock.now()
        one = TestAlert(self.new_id()[:8], now, now + TEST_FOR)
        known = [test for test in self.board.condition.tests if now < test.until]
        self.board.note(tests=(*known, one))
        self.look()
        return one.id

    async def run(self) -> None:
        """Evaluate and deliver until cancelled."""
        self._show()
        self._states = await self._known()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._evaluating(), name="alerts")
            while True:
                self._again.clear()
                delivering = tasks.create_task(self._delivering(), name="outbox")
                await self._again.wait()
                # What is being sent is sent again under the same id, if it was not marked.
                delivering.cancel()
                await asyncio.wait({delivering})

    def _show(self) -> None:
        """Say what may be told, and to whom: metrics begin at zero."""
        alerts = self.settings.alerts
        self.board.note(
            rules={rule.name: severity_of(rule, alerts).value for rule in RULES},
            notifiers=tuple(self.settings.notifiers),
        )

    async def _known(self) -> tuple[AlertState, ...]:
        """Read what fired when the daemon before this one ended: each is judged anew."""
        while True:
            try:
                return await self.store.alerts()
            except StoreError as error:
                self.board.store_is_away(error)
                await self.clock.sleep(LOOK_EVERY_S)

    async def _delivering(self) -> None:
        settings = self.settings
        self._notifiers, broken = {}, {}
        for name, one in settings.notifiers.items():
            try:
                self._notifiers |= notifiers_of({name: one}, self.session)
            except UnderstudyError as error:
                # A secret that vanished since, say: the others are told all the same.
                broken[name] = error.message
                log.warning("notifier.not_built", why=error.message, remedy=error.remedy)
        self.board.note(broken_notifiers=broken)
        outbox = self._outbox = Outbox(
            self.store,
            self._notifiers,
            self.clock,
            notice=self._notice,
            firing=self._firing,
            on_result=self._count,
            chance=self.chance,
        )
        try:
            gone = await self.store.end_unknown_deliveries(tuple(settings.notifiers))
            if gone:
                log.warning("notifications.given_up", why="their notifier is gone", count=gone)
        except StoreError as error:
            self.board.store_is_away(error)
        await outbox.run()

    def _count(self, name: str, result: Result) -> None:
        self.results[name, result] += 1
        self.board.news()

    async def _evaluating(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._follow_clock()
                if self._unsure:
                    self._states, self._unsure = await self.store.alerts(), False
                await self._evaluate()
            except StoreError as error:
                # It may have been written all the same: what stands there holds.
                self._unsure = True
                self.board.store_is_away(error)
            except Exception:
                log.exception("alerts.broken")
            await self.clock.sleep(BREATH_S)
            await self._until_news()

    async def _follow_clock(self) -> None:
        """Go on from now where the clock was set back: what was told was told by now."""
        now = self.clock.now()
        if self._evaluated_at is not None and now < self._evaluated_at:
            self._unsure = True
            await self.store.bring_back()
        self._evaluated_at = now

    async def _evaluate(self) -> None:
        status = await self.board.status()
        if status.old or status.condition.stopping:
            return  # A snapshot from before says nothing new.
        settings = self.settings
        evaluation = evaluate(
            self._states,
            status,
            self.clock.now(),
            settings=settings.alerts,
            notifiers=settings.notifiers,
            new_id=self.new_id,
        )
        if evaluation.written or evaluation.changes:
            await self.store.write_alerts(evaluation.written, evaluation.changes)
            self.board.note(store_trouble=None)
            self.board.news()
        self._states = evaluation.states
        self._tell(evaluation)

    def _tell(self, evaluation: Evaluation) -> None:
        for change, notifiers in evaluation.changes:
            if change.reason is Reason.REPEAT:
                continue
            self.events.tell(
                "alert.changed",
                {
                    "alert": change.name,
                    "labels": dict(change.labels),
                    "firing": change.firing,
                    "summary": change.annotations.get("summary", ""),
                },
            )
            tell = log.warning if change.firing and change.severity.value != "info" else log.info
            tell(
                "alert.firing" if change.firing else "alert.resolved",
                alert=change.name,
                severity=change.severity.value,
                summary=change.annotations.get("summary", ""),
                told=list(notifiers),
                silence=change.silence,
            )
        if evaluation.changes and self._outbox is not None:
            self._outbox.wake()

    async def _until_news(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            waiting = {
                tasks.create_task(self.clock.sleep(LOOK_EVERY_S)),
                tasks.create_task(self._news.wait()),
            }
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    # --- what is told ----------------------------------------------------------------

    def _firing(self, name: str) -> tuple[Notice, ...]:
        """Show what fires, of all that the notifier *name* gets, to a receiver that forgets."""
        one = self.settings.notifiers.get(name)
        firing = [state for state in self._states if state.phase is Phase.FIRING]
        changes = [_as_change(state) for state in firing if state.told_at is not None]
        wanted = {} if one is None else {name: one}
        return tuple(self._notice(change) for change in changes if told_by(change, wanted))

    def _notice(self, change: AlertChange) -> Notice:
        return Notice.of(change, self.settings.alerts.external_url or self.external_url)


def _as_change(state: AlertState) -> AlertChange:
    return AlertChange(
        id="",
        name=state.name,
        labels=state.labels,
        # What engines say may hold keys; what comes from the store was cleaned there.
        annotations={name: clean(text) for name, text in state.annotations.items()},
        severity=state.severity,
        firing=True,
        reason=Reason.NEW,
        starts_at=state.starts_at,
        ends_at=None,
        at=state.told_at or state.starts_at,
    )
