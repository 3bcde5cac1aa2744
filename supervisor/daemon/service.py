"""Start and stop, in one visible order.

start   settings ─► store ─► witness ─► schedule ─► alerts ─► watch ─► API
stop    API ─► watch ─► alerts ─► schedule (the running drill is broken off, and written down)
        ─► witness ─► store
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial

import structlog

from chaos.clock import Clock, SystemClock
from chaos.errors import UnderstudyError, UsageError
from chaos.http_client import open_session
from chaos.process.ports import is_at
from chaos.witness.server import Witness
from supervisor.alerts.notifiers import notifiers_of
from supervisor.campaign.connection import connected
from supervisor.campaign.request import split_address
from supervisor.daemon.alerting import Alerting
from supervisor.daemon.board import Board
from supervisor.daemon.gateway import Connect
from supervisor.daemon.liveness import Liveness
from supervisor.daemon.parts import Parts
from supervisor.daemon.reload import check_secrets, reloaded
from supervisor.daemon.upkeep import examine, tidy
from supervisor.daemon.watch import Watch
from supervisor.daemon.worker import Worker
from supervisor.daemon.world import DaemonWorld
from supervisor.schedule.clockwork import Clockwork
from supervisor.settings.model import Settings
from supervisor.status import Condition, Measured
from supervisor.store import daemon_lock
from supervisor.store.halt_file import halt_file
from supervisor.store.location import file_of, shown, store_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.systemd import Systemd
from supervisor.web.access import Access
from supervisor.web.application import application, listening
from supervisor.web.events import Events
from supervisor.web.token import own_token

log = structlog.get_logger()

LOOK_EVERY = timedelta(seconds=5)
TIDY_EVERY = timedelta(hours=1)
BROKEN_S = 15.0
"""Until a part of the daemon that broke is begun anew."""

LAG_WITHIN_S = 60.0
DRAIN_S = 8.0
"""How long the running drill may take to end; systemd's patience is longer than the whole stop."""


class Service:
    """A daemon, from its first step to its last.

    Args:
        load: Reads the configuration, with the options of the command line laid over it.
        connect: Opens the gateway.
        systemd: Learns how far the daemon is, and that it is alive.
        held: Sockets on which systemd listens for the witness.

    Attributes:
        settings: What holds now.
        clockwork: None before it has started.
        worker: Likewise.
        board: Likewise.
        watch: Likewise.
        alerting: Likewise.
    """

    def __init__(
        self,
        load: Callable[[], Settings],
        version: str,
        clock: Clock | None = None,
        connect: Connect = connected,
        systemd: Systemd | None = None,
        held: Sequence[socket.socket] = (),
    ) -> None:
        self.settings = load()
        self._load = load
        self._version = version
        self.clock = clock or SystemClock()
        self._connect = connect
        self._liveness = Liveness(systemd or Systemd())
        self._held = held
        self.clockwork: Clockwork | None = None
        self.worker: Worker | None = None
        self.board: Board | None = None
        self.watch: Watch | None = None
        self.alerting: Alerting | None = None

    async def run(self, stop: asyncio.Event, ready: Callable[[list[str]], None]) -> None:
        """Work until *stop* is set, and end in order.

        Args:
            ready: Called once everything is there, with the API's addresses.

        Raises:
            UsageError: The settings name no gateway, or an address cannot be listened on.
            StoreError: The store cannot be opened, or belongs to another daemon.
            WitnessError: The witness cannot listen.
        """
        settings = self.settings
        home = home_of(settings)
        url = store_url(settings.store)
        started_at = self.clock.now()
        check_secrets(settings)
        async with self._connect(settings):
            pass  # Keys that are not there are missed now, and not with the first drill.
        async with AsyncExitStack() as stack:
            file = file_of(url)
            if file is not None:
                stack.enter_context(
                    daemon_lock.held(
                        file,
                        daemon=home.daemon,
                        since=started_at,
                        address=settings.web.listen[0],
                    )
                )
            with self._liveness.patiently("Opening the store"):
                store = await stack.enter_async_context(Store.opened(url, home, self.clock))
                await examine(store)
            condition = Condition(
                home.daemon,
                home.gateway,
                self._version,
                started_at,
                shown(url),
                budget_usd=settings.budget.usd,
            )
            board = self.board = Board(store, condition, self.clock, halt_file(url))
            # The clock may have been set back since the last daemon.
            await store.bring_back(pauses=False)
            await store.end_campaigns()
            await store.sign_in(version=self._version, started_at=started_at)
            witness = Witness(settings.witness.url)
            await stack.enter_async_context(
                witness.serving(self._witness_addresses(settings), self._held)
            )
            session = await stack.enter_async_context(open_session())
            notifiers_of(settings.notifiers, session)  # What cannot be built is said now.
            worker = self.worker = Worker(
                settings,
                store,
                board,
                witness,
                self.clock,
                halt_file(url),
                Events(home.daemon),
                self._connect,
            )
            async with self._scheduled(worker, store, partial(worker.run, session)):
                watch = self.watch = Watch(
                    settings,
                    store,
                    board,
                    worker.events,
                    self.clock,
                    Parts(
                        session,
                        self.clock,
                        file.parent if file else None,
                        store.beats,
                        board.drilled,
                    ),
                    self._connect,
                    on_news=worker.read_anew,
                )
                worker.on_read = watch.see
                alerting = self.alerting = Alerting(
                    settings,
                    store,
                    board,
                    worker.events,
                    self.clock,
                    session,
                    f"http://{settings.web.listen[0]}",
                )
                board.on_news = alerting.look
                board.measure = lambda: Measured(
                    watch.lag.worst(LAG_WITHIN_S),
                    witness.counts.strays,
                    {(name, result.value): n for (name, result), n in alerting.results.items()},
                )
                world = DaemonWorld(board, store, worker, watch, alerting, self.clock)
                access = Access(own_token(settings.web, url))
                app = application(
                    world, access=access, version=self._version, badges=settings.web.badges
                )
                async with (
                    self._kept("alerts", alerting.run),
                    self._kept("watch", watch.run),
                    listening(app, settings.web.listen) as addresses,
                ):
                    log.info(
                        "daemon.started",
                        daemon=home.daemon,
                        gateway=home.gateway,
                        store=shown(url),
                        witness=settings.witness.url,
                        api=addresses[0],
                        version=self._version,
                    )
                    ready(addresses)
                    async with self._kept("liveness", partial(self._liveness.report, board)):
                        await stop.wait()
                    self._liveness.stopping()
                    board.note(stopping=True)
                    log.info("daemon.stopping")
        log.info("daemon.stopped")

    @asynccontextmanager
    async def _scheduled(
        self,
        worker: Worker,
        store: Store,
        work: Callable[[], Coroutine[None, None, None]],
    ) -> AsyncIterator[None]:
        """Have the worker take turns until exit; its running drill is broken off then."""
        clockwork = self.clockwork = Clockwork()
        tidying_due = asyncio.Event()
        clockwork.every(LOOK_EVERY, "look at the ledger", worker.look)
        clockwork.every(TIDY_EVERY, "tidy up", tidying_due.set)
        clockwork.every(self._liveness.every, "say that we are alive", self._liveness.wake)
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(work(), name="worker")
            tidying = tasks.create_task(
                tidy(store, lambda: self.settings.store, tidying_due), name="tidy up"
            )
            try:
                with clockwork.running():
                    yield
            finally:
                tidying.cancel()
                worker.end()
                # A drill that does not end by itself is cancelled, through its own finally; what
                # is no drill has nothing to write down.
                await asyncio.wait({working}, timeout=DRAIN_S if worker.drilling else 0)
                working.cancel()

    @asynccontextmanager
    async def _kept(self, name: str, work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Have *work* done until exit; a defect of ours begins it anew."""

        async def working() -> None:
            while True:
                try:
                    await work()
                except Exception:
                    log.exception("part.broken", part=name, again_in_s=BROKEN_S)
                await self.clock.sleep(BROKEN_S)

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(working(), name=name)
            try:
                yield
            finally:
                task.cancel()

    def _witness_addresses(self, settings: Settings) -> list[tuple[str, int]]:
        """Say where the witness listens, and complain about sockets that are held in vain."""
        addresses = [split_address(each) for each in settings.witness.listen]
        for held in self._held:
            if not any(is_at(held, *address) for address in addresses):
                log.warning(
                    "witness.socket_unused",
                    held=str(held.getsockname()),
                    listen=settings.witness.listen,
                    remedy="understudy service install writes the socket unit anew.",
                )
        return addresses

    def reload(self) -> None:
        """Take the configuration anew, or keep the old one and say why."""
        self._liveness.reload(self._reload)

    def _reload(self) -> str | None:
        """Reload, and say why it was refused; None if it was not."""
        board, worker = self.board, self.worker
        if board is None or worker is None:
            return "the daemon has not started yet"
        try:
            settings = reloaded(self._load, self.settings)
            if self.alerting is not None:
                notifiers_of(settings.notifiers, self.alerting.session)
        except UnderstudyError as error:
            board.note(reload_trouble=error.message)
            log.warning("config.rejected", why=error.message, remedy=error.remedy)
            return error.message
        board.note(reload_trouble=None, budget_usd=settings.budget.usd)
        self.settings = settings
        worker.use(settings)
        if self.watch is not None:
            self.watch.use(settings)
        if self.alerting is not None:
            self.alerting.use(settings)
        log.info("config.reloaded")
        return None


def home_of(settings: Settings) -> Home:
    """Say whose records these are.

    Raises:
        UsageError: No gateway is named.
    """
    if settings.gateway.url is None:
        raise UsageError(
            "no gateway is named",
            remedy="Give --gateway http://127.0.0.1:4000 --key-env NAME, or a file with --config. "
            "To try without a gateway of your own: understudy lab",
        )
    return Home(settings.daemon.name, settings.gateway.url)


@contextmanager
def reloading_at_hangup(reload: Callable[[], None]) -> Iterator[None]:
    """Reload at SIGHUP, until exit."""
    import signal  # noqa: PLC0415 -- only a daemon takes it

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
