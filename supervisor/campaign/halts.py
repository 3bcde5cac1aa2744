"""Keep drills of the command line to a halt, as the daemon keeps its own: it is for all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from chaos.clock import Clock
from chaos.drill.drill import MayRun, Refusal
from chaos.errors import UnderstudyError, UsageError
from chaos.judge.check import Kind
from chaos.scenario.plan import DrillPlan
from supervisor.settings.model import Settings
from supervisor.store.halt_file import halt_file, read_halt
from supervisor.store.location import exists, file_of, store_url
from supervisor.store.records import Halt, Home
from supervisor.store.store import Store

GO_ON = "'understudy resume' goes on."

Halted = Callable[[], Awaitable[Halt | None]]
"""Finds the halt that holds now."""


@asynccontextmanager
async def halts_of(
    settings: Settings, clock: Clock, say: Callable[[str], None]
) -> AsyncIterator[Halted]:
    """Open what halts are written into; where that cannot be read it is said, and none holds.

    Without a store there is none: nobody has begun one.
    """
    file: Path | None = None
    store: Store | None = None

    def unread(error: UnderstudyError) -> None:
        nonlocal store
        store = None  # It is not asked again, and so said once.
        say(f"whether drills are halted cannot be read: {error.message}")

    async def halted() -> Halt | None:
        found = read_halt(file) if file is not None else None
        if found is not None or store is None:
            return found
        try:
            return await store.halted()
        except UnderstudyError as error:
            unread(error)
            return None

    async with AsyncExitStack() as stack:
        try:
            url = store_url(settings.store)
            file, database = halt_file(url), file_of(url)
            if database is None or exists(database):
                home = Home(settings.daemon.name, "")
                opened = Store.opened(url, home, clock, create=False)
                store = await stack.enter_async_context(opened)
        except UnderstudyError as error:
            unread(error)
        yield halted


def refuse_when_halted(halt: Halt | None) -> None:
    """Begin nothing while drills are halted.

    Raises:
        UsageError: They are.
    """
    if halt is not None:
        raise UsageError(f"drills are halted: {halt.reason}", remedy=GO_ON)


def unless_halted(halted: Halted, may_run: MayRun) -> MayRun:
    """Refuse what is halted by now, before anything else is asked."""

    async def guard(plan: DrillPlan) -> Refusal | None:
        halt = await halted()
        if halt is not None:
            return Refusal(Kind.HALTED, halt.reason, GO_ON)
        return await may_run(plan)

    return guard
