"""What keeps the store in order: a look for damage at the start, and old records deleted."""

import asyncio
from collections.abc import Callable

import structlog

from supervisor.settings.daemon import StoreSettings
from supervisor.store.errors import StoreError
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits

log = structlog.get_logger()


async def examine(store: Store) -> None:
    """Look for damage before anything is written.

    Raises:
        StoreError: The file is damaged.
    """
    problems = await store.quick_check()
    if problems:
        raise StoreError(
            f"the store {store.where}: the file is damaged: {problems[0]}",
            remedy="Move it away with its -wal and -shm, and put back a backup, or let a new "
            "one be made; 'understudy store check' lists all of the damage.",
            permanent=True,
        )


async def tidy(store: Store, settings: Callable[[], StoreSettings], wanted: asyncio.Event) -> None:
    """Delete what need not be kept, at the start and then each time that it is *wanted*."""
    while True:
        keep = settings()
        try:
            gone = await store.retention(
                Limits(keep.keep_verdicts, keep.keep_failures, keep.keep_evidence)
            )
            if gone:
                log.info("store.tidied", rows=gone)
        except StoreError as error:
            log.warning("store.not_tidied", why=error.message)
        await wanted.wait()
        wanted.clear()
