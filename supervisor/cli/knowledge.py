"""What a daemon knows: through its API where one runs, from its store where none does.

Both give the same answers, so that a command need not care; ``live`` says which it was.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlencode

import aiohttp
from pydantic import BaseModel, ValidationError
from sqlalchemy import URL

from chaos.clock import Clock, SystemClock
from chaos.errors import UnderstudyError, UsageError
from chaos.http_client import open_session
from supervisor.baseline.record import Benchmark
from supervisor.daemon.board import derived
from supervisor.settings.model import Settings
from supervisor.status import Condition, Status
from supervisor.store import daemon_lock
from supervisor.store.halt_file import end_halt, halt_file
from supervisor.store.location import exists, file_of, shown, store_url
from supervisor.store.records import DrillFilter, Halt, Home
from supervisor.store.store import Store
from supervisor.web.answers.alerts import AlertsAnswer, SilenceAnswer, TestStartedAnswer
from supervisor.web.answers.benchmarks import BenchmarkAnswer, BenchmarksAnswer
from supervisor.web.answers.drills import DrillsAnswer, EvidenceAnswer, StartedAnswer
from supervisor.web.answers.paths import CoverageAnswer
from supervisor.web.answers.status import HaltAnswer, StatusAnswer
from supervisor.web.drill_order import DrillOrder
from supervisor.web.problem import Problem
from supervisor.web.token import known_token

ANSWER_WITHIN_S = 30.0

ALIVE_WITHIN_S = 10.0
"""Whatever takes the port and says nothing must not keep a command waiting for long."""

SILENT_S = 60.0
"""A stream of events that is silent for longer than its pings take is dead."""

M = TypeVar("M", bound=BaseModel)


class DaemonError(UnderstudyError):
    """A running daemon refused, or did not answer as one."""


class Knowledge(Protocol):
    """What can be asked; every method may raise an ``UnderstudyError``."""

    @property
    def live(self) -> bool:
        """A running daemon answers."""
        ...

    async def status(self) -> StatusAnswer:
        """Say how everything stands."""
        ...

    async def coverage(self) -> CoverageAnswer:
        """List the paths."""
        ...

    async def drills(self, wanted: DrillFilter) -> DrillsAnswer:
        """List drills, newest first."""
        ...

    async def drill(self, name: str) -> EvidenceAnswer:
        """Show one drill."""
        ...

    async def alerts(self) -> AlertsAnswer:
        """Say what fires, what was told, and to whom."""
        ...

    async def benchmarks(self) -> BenchmarksAnswer:
        """List what engines were measured to be."""
        ...

    async def silence(
        self, matchers: dict[str, str], reason: str, length: timedelta
    ) -> SilenceAnswer:
        """Tell nobody of some alerts for a while."""
        ...

    async def end_silence(self, number: int) -> None:
        """End a silence."""
        ...

    async def halt(self, reason: str, length: timedelta | None, *, everywhere: bool) -> HaltAnswer:
        """Have nothing drilled."""
        ...

    async def resume(self, *, everywhere: bool) -> None:
        """Have drills go on."""
        ...


@asynccontextmanager
async def known(settings: Settings) -> AsyncIterator[Knowledge]:
    """Find the daemon of *settings*, or its store.

    Raises:
        UsageError: There is neither.
    """
    url = store_url(settings.store)
    async with open_session() as session:
        api = Api.of(session, settings)
        if await api.answers():
            yield api
            return
    file = file_of(url)
    if file is not None and not exists(file):
        raise UsageError(
            f"no daemon answers at {api.base}, and there is no store at {file}",
            remedy="Start one: understudy run --gateway URL --key-env NAME. If it has a "
            "configuration of its own, name that with --config.",
        )
    clock = SystemClock()
    async with Store.opened(url, Home("", ""), clock, create=False) as store:
        gateway = await _gateway(store, settings)
    home = Home(settings.daemon.name, gateway)
    async with Store.opened(url, home, clock, create=False) as store:
        yield _Past(store, home, shown(url), halt_file(url), clock)


def _address(settings: Settings, url: URL) -> str:
    """Say where the API is."""
    file = file_of(url)
    holder = daemon_lock.holder(file) if file is not None else None
    address = str((holder or {}).get("address") or settings.web.listen[0])
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 -- is asked, not listened on
    return f"http://{host}:{port}"


def _token(settings: Settings, url: URL) -> str | UsageError | None:
    """Fetch the token; why it cannot be is kept for who needs one: looking needs none here."""
    try:
        token = known_token(settings.web, url)
    except UsageError as error:
        return error
    return token.get_secret_value() if token else None


async def _gateway(store: Store, settings: Settings) -> str:
    """Choose whose paths are meant.

    Raises:
        UsageError: The store has several gateways, and none of them is named.
    """
    there = await store.gateways()
    wanted = settings.gateway.url
    if wanted is not None:
        return wanted
    if len(there) > 1:
        raise UsageError(
            f"the store has {len(there)} gateways: {', '.join(there)}",
            remedy=f"Name one of them, such as --gateway {there[0]}",
        )
    return there[0] if there else ""


@dataclass(frozen=True, slots=True)
class Api:
    """A running daemon."""

    session: aiohttp.ClientSession
    base: str
    token: str | UsageError | None
    live: bool = True

    @classmethod
    def of(cls, session: aiohttp.ClientSession, settings: Settings) -> "Api":
        """Say where the daemon of *settings* would answer; nothing is asked yet."""
        url = store_url(settings.store)
        return cls(session, _address(settings, url), _token(settings, url))

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if isinstance(self.token, str) else {}

    async def answers(self) -> bool:
        """Say whether a daemon answers at all."""
        try:
            async with self._asked("GET", "/healthz", within_s=ALIVE_WITHIN_S) as response:
                return response.status == 200 and await response.text() == "ok\n"
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            return False

    async def status(self) -> StatusAnswer:
        return await self._get("/api/v1/status", StatusAnswer)

    async def coverage(self) -> CoverageAnswer:
        return await self._get("/api/v1/coverage", CoverageAnswer)

    async def drills(self, wanted: DrillFilter) -> DrillsAnswer:
        given = {name: getattr(wanted, name) for name in DrillFilter.__slots__}
        query = {
            name: value.isoformat() if hasattr(value, "isoformat") else str(value)
            for name, value in given.items()
            if value is not None
        }
        return await self._get(f"/api/v1/drills?{urlencode(query)}", DrillsAnswer)

    async def drill(self, name: str) -> EvidenceAnswer:
        return await self._get(f"/api/v1/drills/{name}", EvidenceAnswer)

    async def alerts(self) -> AlertsAnswer:
        return await self._get("/api/v1/alerts", AlertsAnswer)

    async def benchmarks(self) -> BenchmarksAnswer:
        return await self._get("/api/v1/benchmarks", BenchmarksAnswer)

    async def add_benchmark(self, one: Benchmark) -> None:
        """Have the daemon keep a benchmark."""
        body = BenchmarkAnswer.of(one).model_dump(mode="json")
        async with self._asked("POST", "/api/v1/benchmarks", json=body) as response:
            await _read(response, BenchmarkAnswer)

    async def test_alert(self) -> TestStartedAnswer:
        """Fire a test alert."""
        async with self._asked("POST", "/api/v1/alerts/test") as response:
            return await _read(response, TestStartedAnswer)

    async def silence(
        self, matchers: dict[str, str], reason: str, length: timedelta
    ) -> SilenceAnswer:
        order = {"matchers": matchers, "reason": reason, "for_s": length.total_seconds()}
        async with self._asked("POST", "/api/v1/silences", json=order) as response:
            return await _read(response, SilenceAnswer)

    async def end_silence(self, number: int) -> None:
        async with self._asked("DELETE", f"/api/v1/silences/{number}") as response:
            if response.status != 204:
                await _read(response, SilenceAnswer)

    async def start_drills(self, order: DrillOrder) -> StartedAnswer:
        """Begin a campaign."""
        body = order.model_dump(mode="json", exclude_defaults=True)
        async with self._asked("POST", "/api/v1/drills", json=body) as response:
            return await _read(response, StartedAnswer)

    async def stop_drills(self, campaign: str) -> None:
        """Break a campaign off; one that has ended already is no error."""
        async with self._asked("DELETE", f"/api/v1/drills/{campaign}"):
            pass

    @asynccontextmanager
    async def listening(
        self, campaign: str, seen: str | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Listen to the events of a campaign after the one that was *seen* last."""
        headers = {**self._authorization, **({"Last-Event-ID": seen} if seen else {})}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENT_S)
        async with self.session.get(
            f"{self.base}/api/v1/events?campaign={campaign}",
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            yield response

    async def halt(self, reason: str, length: timedelta | None, *, everywhere: bool) -> HaltAnswer:
        order = {
            "reason": reason,
            "for_s": None if length is None else length.total_seconds(),
            "everywhere": everywhere,
        }
        async with self._asked("POST", "/api/v1/halt", json=order) as response:
            return await _read(response, HaltAnswer)

    async def resume(self, *, everywhere: bool) -> None:
        path = f"/api/v1/halt?everywhere={str(everywhere).lower()}"
        async with self._asked("DELETE", path) as response:
            if response.status != 204:
                await _read(response, HaltAnswer)

    async def _get(self, path: str, model: type[M]) -> M:
        async with self._asked("GET", path) as response:
            return await _read(response, model)

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, *, json: object = None, within_s: float = ANSWER_WITHIN_S
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if method != "GET" and isinstance(self.token, UsageError):
            raise self.token
        timeout = aiohttp.ClientTimeout(total=within_s)
        async with self.session.request(
            method,
            self.base + path,
            json=json,
            headers=self._authorization,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            yield response


async def _read(response: aiohttp.ClientResponse, model: type[M]) -> M:
    body = await response.read()
    try:
        if response.status < 300:
            return model.model_validate_json(body)
        problem = Problem.model_validate_json(body)
    except ValidationError:
        raise DaemonError(
            f"the daemon at {response.url.origin()} answers {response.status} in words that this "
            "Understudy does not know",
            remedy="Use the command of the daemon's own version; 'understudy --version' names it.",
        ) from None
    raise DaemonError(problem.why, remedy=problem.remedy)


@dataclass(frozen=True, slots=True)
class _Past:
    """The store of a daemon that does not run."""

    store: Store
    home: Home
    where: str
    halt_file: Path
    clock: Clock
    live: bool = False

    async def status(self) -> StatusAnswer:
        return StatusAnswer.of(await self._status())

    async def coverage(self) -> CoverageAnswer:
        status = await self._status()
        return CoverageAnswer.of(status, status.paths)

    async def drills(self, wanted: DrillFilter) -> DrillsAnswer:
        return DrillsAnswer.of(await self.store.drills(wanted), wanted.limit)

    async def drill(self, name: str) -> EvidenceAnswer:
        stored = await self.store.drill(name)
        if stored is None:
            raise UsageError(
                f"there is no drill {name!r}, or it is too old to be kept",
                remedy="'understudy history' lists those that are kept.",
            )
        return EvidenceAnswer.of(stored)

    async def alerts(self) -> AlertsAnswer:
        return AlertsAnswer.of(await self._status(), await self.store.told())

    async def benchmarks(self) -> BenchmarksAnswer:
        return BenchmarksAnswer.of(await self._status())

    async def silence(
        self, matchers: dict[str, str], reason: str, length: timedelta
    ) -> SilenceAnswer:
        until = self.clock.now() + length
        return SilenceAnswer.of(await self.store.silence(matchers, reason, until))

    async def end_silence(self, number: int) -> None:
        if not await self.store.end_silence(number):
            raise UsageError(
                f"no silence {number} holds",
                remedy="'understudy alerts list' lists those that do.",
            )

    async def halt(self, reason: str, length: timedelta | None, *, everywhere: bool) -> HaltAnswer:
        now = self.clock.now()
        begun = Halt(
            reason or "no reason was given",
            now,
            None if length is None else now + length,
            None if everywhere else self.home.daemon,
        )
        await self.store.halt(begun)
        return HaltAnswer.of(begun)

    async def resume(self, *, everywhere: bool) -> None:
        end_halt(self.halt_file)
        await self.store.resume(self.home.daemon)
        if everywhere:
            await self.store.resume(None)

    async def _status(self) -> Status:
        now = self.clock.now()
        name, gateway = self.home.daemon, self.home.gateway
        condition = Condition(name, gateway, "", now, self.where)
        status = await derived(self.store, condition, now, self.halt_file)
        last = max((d.seen_at for d in status.daemons if d.gateway == gateway), default=None)
        seen = f"; one was last seen at {last:%Y-%m-%d %H:%M:%S %Z}" if last else ""
        return replace(
            status, condition=replace(condition, gateway_trouble=f"no daemon runs{seen}")
        )
