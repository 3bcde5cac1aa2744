"""A simulated engine in a thread of its own, beside a command that runs in this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from tests.patience import PATIENCE_S


@contextmanager
def running_engine(flags: EngineFlags) -> Iterator[str]:
    """Serve until exit; gives its root."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    urls: list[str] = []
    there = threading.Event()

    async def serve() -> None:
        async with SimulatedEngine(flags) as engine:
            urls.append(engine.url)
            there.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            there.set()
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert there.wait(PATIENCE_S)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
