"""Where the benchmarks of the command line come from and go to: the daemon, its store, a file."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from pydantic import ValidationError

from chaos.clock import SystemClock
from chaos.errors import UsageError
from supervisor.baseline import llama_benchy
from supervisor.baseline.record import Benchmark
from supervisor.cli.commands.status import asked
from supervisor.cli.gateway_options import Access
from supervisor.cli.knowledge import Api
from supervisor.settings.model import Settings
from supervisor.store.location import store_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.web.answers.benchmarks import BenchmarksAnswer

MOST_BYTES = 16 << 20

Keep = Callable[[Benchmark], Awaitable[object]]


@asynccontextmanager
async def keeper(
    settings: Settings, session: aiohttp.ClientSession, *, keep: bool = True
) -> AsyncIterator[Keep]:
    """Find out where a benchmark is to be kept, before anything is measured.

    A running daemon keeps it, so that its store stays its own and its alerts know at once.

    Raises:
        UsageError: The daemon's token cannot be read.
        StoreError: No daemon runs, and its store cannot be opened.
    """
    if not keep:
        yield _nowhere
        return
    api = Api.of(session, settings)
    if await api.answers():
        if isinstance(api.token, UsageError):
            raise api.token
        yield api.add_benchmark
        return
    home = Home(settings.daemon.name, settings.gateway.url or "")
    async with Store.opened(store_url(settings.store), home, SystemClock()) as store:
        yield store.add_benchmark


async def _nowhere(_: Benchmark) -> None:
    return None


class KnownBenchmarks:
    """What is kept; it is read when a file does not do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._read: BenchmarksAnswer | None = None

    @property
    def all(self) -> list[Benchmark]:
        """Everything that was read."""
        engines = self._read.engines if self._read is not None else ()
        return [answer.record for engine in engines for answer in engine.benchmarks]

    def find(self, given: str, *, newest: bool) -> Benchmark:
        """Find one by its file, its id, or its engine.

        Args:
            newest: Of an engine its newest, in place of its baseline.

        Raises:
            UsageError: There is none, or more than one.
        """
        if given.endswith(".json") or _is_file(given):
            return from_file(Path(given))
        if self._read is None:
            self._read = asked(self._access, lambda daemon: daemon.benchmarks())
        for engine in self._read.engines:
            if engine.engine == given:
                wanted = engine.latest if newest else engine.baseline
                its = [answer.record for answer in engine.benchmarks]
                return next((one for one in its if one.id == wanted), its[-1])
        fitting = [one for one in self.all if one.id == given] or [
            one for one in self.all if one.id.startswith(given)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            ids = ", ".join(one.id for one in fitting)
            raise UsageError(f"{given!r} begins several ids", remedy=f"One of: {ids}")
        raise UsageError(
            f"there is no benchmark, engine or file {given!r}",
            remedy="'understudy bench list' shows what is kept.",
        )


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except OSError:  # Longer than a name may be, say.
        return False


def from_file(path: Path) -> Benchmark:
    """Read a benchmark from a file, ours or llama-benchy's.

    Raises:
        UsageError: It cannot be read, or holds none.
    """
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{path} cannot be read: {why}", remedy="Name a JSON file of a benchmark."
        ) from None
    if llama_benchy.is_theirs(content):
        return llama_benchy.read(content, str(path))
    try:
        return Benchmark.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise UsageError(
            f"{path} holds no benchmark: {place}: {first['msg']}",
            remedy="Write one with: understudy bench run ENGINE --output FILE",
        ) from None
